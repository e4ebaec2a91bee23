"""The client against a real auth service: sessions are renewed, kept and shared, and errors are one line."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.responses import PlainTextResponse

from xget_auth.app import create_app
from xget_auth.settings import Settings
from xget_cli.client import Client, tokens_of
from xget_cli.errors import CliError
from xget_cli.options import ID
from xget_kernel.clock import ManualClock
from xget_testing.apps import serving_in_thread

ME = "/api/v1/auth/me"
ADA = {"username": "ada", "password": "correct horse battery"}
ACCESS_SECONDS = 15 * 60


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def client(tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    monkeypatch.setenv("XGET_CONFIG_DIR", str(tmp_path / "config"))
    app = create_app(Settings(home=tmp_path, argon2_memory_kib=8, port=0), clock=clock)
    with serving_in_thread(app) as url, Client(url) as client:
        client.post("/api/v1/auth/register", ADA)
        client.sessions.put(url, tokens_of("ada", client.post("/api/v1/auth/login", ADA)))
        yield client


def test_an_expired_session_is_renewed_on_the_way(client: Client, clock: ManualClock) -> None:
    before = client.sessions.get(client.url)
    clock.advance(ACCESS_SECONDS + 1)
    assert client.get(ME)["username"] == "ada"
    assert client.sessions.get(client.url) != before


def test_two_commands_that_renew_at_once_both_go_on(client: Client, clock: ManualClock) -> None:
    clock.advance(ACCESS_SECONDS + 1)
    names: list[str] = []

    def ask() -> None:
        with Client(client.url) as another:
            names.append(another.get(ME)["username"])

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert names == ["ada"] * 4


def test_an_ended_session_is_forgotten_and_the_way_back_named(client: Client, clock: ManualClock) -> None:
    tokens = client.sessions.get(client.url)
    assert tokens
    client.post("/api/v1/auth/logout", {"refresh_token": tokens["refresh_token"]})
    clock.advance(ACCESS_SECONDS + 1)
    with pytest.raises(CliError, match="xget login"):
        client.get(ME)
    assert client.sessions.get(client.url) is None


def test_a_session_that_cannot_be_kept_says_where(client: Client, tmp_path: Path) -> None:
    (tmp_path / "a-file").write_text("")
    client.sessions.path = tmp_path / "a-file" / "session.json"
    with pytest.raises(CliError, match="XGET_CONFIG_DIR"):
        client.sessions.put(client.url, None)


def test_each_wrong_field_is_told_once(client: Client) -> None:
    with pytest.raises(CliError) as one:
        client.post("/api/v1/auth/register", {**ADA, "username": "!"})
    assert one.value.message.count("username") == 1
    with pytest.raises(CliError) as two:
        client.post("/api/v1/auth/register", {"username": "!", "password": "short"})
    assert two.value.message.count("username") == two.value.message.count("password") == 1
    with pytest.raises(CliError) as conflict:
        client.post("/api/v1/auth/register", ADA)
    assert conflict.value.message == "The username ada is taken: choose another one."


def test_another_server_at_the_address_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XGET_CONFIG_DIR", str(tmp_path))
    app = FastAPI(docs_url=None)
    app.add_api_route("/api/v1/tasks", lambda: PlainTextResponse("hello"), response_model=None)
    with serving_in_thread(app) as url, Client(url) as client, pytest.raises(CliError, match="no XGet gateway"):
        client.get("/api/v1/tasks")


@pytest.mark.parametrize(
    "text", ["", "..", ".", "../accounts", "a b", "a?b", "a#b", "a%2Fb", "a\nb", "a\\b", "x" * 129]
)
def test_what_would_lead_elsewhere_is_no_id(text: str) -> None:
    assert not ID.fullmatch(text)


@pytest.mark.parametrize("text", ["01900000-0000-7000-8000-000000000001", "x:123", "a.b_c~d", "量子"])
def test_ids_as_lists_show_them_are_ids(text: str) -> None:
    assert ID.fullmatch(text)
