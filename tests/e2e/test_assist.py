"""A person logs an account in with `xget accounts assist`: in a window where there is Xvfb, else without one.

The person is a second client of the same browser, who types what people type. `make soak` also closes the window, gives
up and kills the command (XGET_SOAK=1).
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from xget_testing.node import XGET, Node, Sandbox, running_node, running_sandbox
from xget_testing.tools import program
from xget_testing.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.connected("chromium")]

SOAK = os.environ.get("XGET_SOAK") == "1"
PASSWORD = "typed-by-a-person-0192"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with running_sandbox(tmp_path_factory.mktemp("sandbox"), "--posts", "50") as running:
        running.register({"username": "alice", "password": PASSWORD})
        yield running


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory, sandbox: Sandbox) -> Iterator[Node]:
    with running_node(tmp_path_factory.mktemp("node"), sandbox) as running:
        yield running


@pytest.fixture(scope="module")
def display() -> Iterator[str | None]:
    """A screen, if there is a server for one."""
    server = shutil.which("Xvfb")
    if server is None:
        yield None
        return
    command = [server, "-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as running:
        assert running.stdout is not None
        yield f":{running.stdout.readline().strip()}"
        running.terminate()


class Assist:
    """The command, in a browser that a second client can look into."""

    def __init__(self, node: Node, account_id: str, folder: Path, display: str | None) -> None:
        self.port = free()
        chromium = folder / "chromium"
        chromium.write_text(f'#!/bin/sh\nexec {program("chromium")} --remote-debugging-port={self.port} "$@"\n')
        chromium.chmod(0o755)
        env = {**node.env, "XGET_CHROMIUM": str(chromium), **({"DISPLAY": display} if display else {})}
        command = [XGET, "accounts", "assist", account_id, "--url", node.url, "--json"]
        self.process = subprocess.Popen(
            command if display else [*command, "--headless"],
            env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder,
        )  # fmt: skip

    def person(self, playwright: Any) -> tuple[Browser, Page]:
        """Who sits at the browser, with X's login page before him."""
        found: list[Browser] = []

        def there() -> bool:
            try:
                found.append(playwright.chromium.connect_over_cdp(f"http://127.0.0.1:{self.port}"))
            except Exception:  # noqa: BLE001 - the browser is not there yet
                return False
            pages = [page for context in found[-1].contexts for page in context.pages]
            return any("/i/flow/login" in page.url for page in pages)

        eventually(there, 120)
        pages = [page for context in found[-1].contexts for page in context.pages]
        return found[-1], next(page for page in pages if "/i/flow/login" in page.url)

    def ended(self) -> tuple[int, str, str]:
        """Exit code and what was said."""
        out, err = self.process.communicate(timeout=120)
        return self.process.returncode, out, err


def free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture
def assist(node: Node, tmp_path: Path, display: str | None) -> Iterator[Assist]:
    for old in node.api("GET", "/accounts?size=100")["items"]:
        node.api("DELETE", f"/accounts/{old['id']}")
    body = {"username": "alice", "login_method": "TWITTER"}
    made = Assist(node, node.api("POST", "/accounts", json=body)["id"], tmp_path, display)
    yield made
    if made.process.poll() is None:
        made.process.kill()
    made.process.communicate()


def account(node: Node) -> dict[str, Any]:
    found = node.api("GET", "/accounts")["items"][0]
    status: dict[str, Any] = node.api("GET", f"/accounts/{found['id']}/status")
    tries = node.api("GET", f"/accounts/{found['id']}/logins")["items"]
    return {**status, "tries": [(one["method"], one["outcome"]) for one in tries]}


def test_a_person_logs_in_and_the_session_is_kept(node: Node, assist: Assist) -> None:
    with sync_playwright() as playwright:
        browser, page = assist.person(playwright)
        assert account(node)["login"]["phase"] == "assisted"
        for field, text in (('input[autocomplete~="username"]', "alice"), ('input[name="password"]', PASSWORD)):
            page.fill(field, text)
            page.press(field, "Enter")
        code, out, err = assist.ended()
        browser.close()
    assert (code, json.loads(out)["outcome"]) == (0, "logged_in"), err
    done = account(node)
    assert (done["state"], done["login"], done["tries"]) == ("ACTIVE", None, [("assist", "logged_in")])
    assert PASSWORD not in out + err
    assert not list(Path(tempfile.gettempdir()).glob(f"xget-assist-{assist.process.pid}-*"))


@pytest.mark.skipif(not SOAK, reason="XGET_SOAK=1")
@pytest.mark.parametrize("how", ["window", "Ctrl-C", "SIGTERM"])
def test_a_person_who_gives_up_leaves_the_account_free(node: Node, assist: Assist, how: str) -> None:
    with sync_playwright() as playwright:
        browser, page = assist.person(playwright)
        if how == "window":
            page.close()
        else:
            assist.process.send_signal(signal.SIGINT if how == "Ctrl-C" else signal.SIGTERM)
        code, out, err = assist.ended()
        browser.close()
    assert (code, json.loads(out)["outcome"]) == (1, "given_up"), err
    assert (account(node)["login"], account(node)["tries"]) == (None, [("assist", "given_up")])


@pytest.mark.skipif(not SOAK, reason="XGET_SOAK=1")
def test_a_killed_command_takes_its_browser_along_and_frees_the_account(node: Node, assist: Assist) -> None:
    with sync_playwright() as playwright:
        browser, _ = assist.person(playwright)
        assist.process.kill()
        left = Path(tempfile.gettempdir())
        eventually(
            lambda: not listening(assist.port) and not list(left.glob(f"xget-assist-{assist.process.pid}-*")), 20
        )
        browser.close()
    assert account(node)["login"]["phase"] == "assisted"
    eventually(lambda: account(node)["login"] is None, 90)
    assert account(node)["tries"] == [("assist", "given_up")]


def listening(port: int) -> bool:
    with socket.socket() as asking:
        return asking.connect_ex(("127.0.0.1", port)) == 0
