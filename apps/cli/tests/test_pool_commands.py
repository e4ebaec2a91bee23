"""Commands about grants, what is lent, who did what, keys and who am I, against real services behind one address."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from xget.account.v1 import account_pool_pb2 as pb
from xget.account.v1.account_pool_pb2_grpc import AccountPoolStub
from xget_account.app import create_app as create_accounts
from xget_account.settings import Settings as AccountSettings
from xget_auth.app import create_app as create_auth
from xget_auth.settings import Settings as AuthSettings
from xget_cli.client import Client
from xget_cli.errors import CliError
from xget_cli.main import build
from xget_cli.subjects import usable_account_id
from xget_proxy.app import create_app as create_proxies
from xget_proxy.settings import Settings as ProxySettings
from xget_rpc.client import RpcChannel
from xget_testing.apps import LOOPBACK, serving_in_thread
from xget_web.auth import TokenVerifier
from xget_web.serve import lifespan_of

PASSWORD = "correct horse battery"
COMMANDS = build()
COOKIES = {"auth_token": "a" * 40, "ct0": "c" * 64}
Says = Callable[..., str]
Session = Callable[[str], Client]


def pools(home: Path) -> FastAPI:
    """Auth, account and proxy service as one app."""
    apps: dict[str, ASGIApp] = {}
    common: dict[str, Any] = {"home": home, "port": 0, "internal_token": "inner"}

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:

            async def begun(app: FastAPI) -> FastAPI:
                await stack.enter_async_context(lifespan_of(app))
                return app

            apps["auth"] = auth = await begun(create_auth(AuthSettings(**common, argon2_memory_kib=8)))

            async def keys() -> dict[str, Any]:
                return {"keys": await auth.state.auth.keys.published()}

            given = {**common, "auth_service_url": f"{LOOPBACK}:{auth.state.grpc_port - 1000}"}
            verifier = TokenVerifier(keys)
            apps["accounts"] = accounts = await begun(create_accounts(AccountSettings(**given), verifier=verifier))
            apps["proxies"] = await begun(create_proxies(ProxySettings(**given), verifier=verifier))
            (home / "pool.port").write_text(str(accounts.state.grpc_port))
            yield

    async def front(scope: Scope, receive: Receive, send: Send) -> None:
        await apps[scope["path"].split("/")[3]](scope, receive, send)

    app = FastAPI(lifespan=lifespan)
    app.mount("/", front)
    return app


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a session for each of ada (the administrator), bob and eve, at services that run for the module."""
    folder, ids = tmp_path_factory.mktemp("town"), dict[str, str]()
    with serving_in_thread(pools(folder / "home")) as url, pytest.MonkeyPatch.context() as patch:
        patch.setenv("XGET_URL", url)
        patch.setenv("XGET_PASSWORD", PASSWORD)
        patch.setenv("COLUMNS", "300")
        for name in ("ada", "bob", "eve"):
            patch.setenv("XGET_CONFIG_DIR", str(folder / name))
            COMMANDS(["login", name, "--register"], result_action="return_value")
            with Client() as client:
                ids[name] = client.get("/api/v1/auth/me")["id"]
        (folder / "ids.json").write_text(json.dumps(ids))
        yield folder


@pytest.fixture
def says(town: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Says:
    """`says("bob", "accounts", "lent")`: what a command of somebody prints; raises CliError."""

    def run(who: str, *words: str) -> str:
        monkeypatch.setenv("XGET_CONFIG_DIR", str(town / who))
        capsys.readouterr()
        COMMANDS(list(words), exit_on_error=False, print_error=False, result_action="return_value")
        return capsys.readouterr().out

    return run


@pytest.fixture
def session(town: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    """What somebody's commands talk through."""

    def of(who: str) -> Client:
        monkeypatch.setenv("XGET_CONFIG_DIR", str(town / who))
        return Client()

    return of


@pytest.fixture(params=["accounts", "proxies"])
def what(request: pytest.FixtureRequest) -> Iterator[str]:
    return request.param


@pytest.fixture
def ids(town: Path) -> dict[str, str]:
    """Ids of people by name."""
    found: dict[str, str] = json.loads((town / "ids.json").read_text())
    return found


def rows(shown: str) -> list[str]:
    """Lines of a table below its title and header."""
    return shown.splitlines()[2:]


def test_who_am_i(says: Says, ids: dict[str, str]) -> None:
    assert says("bob", "whoami").startswith(f"bob ({ids['bob']}), analyst at http://")


def test_a_grant_is_given_by_name_shown_with_names_and_revoked(says: Says, ids: dict[str, str], what: str) -> None:
    given = says("bob", what, "grants", "add", "EVE", "--platform", "x")
    grant = given.split()[1].rstrip(":")
    assert given == f"Granted {grant}: eve may use them.\n"
    for who in ("bob", "eve", "ada"):
        (row,) = rows(says(who, what, "grants", "list"))
        assert row.split()[:6] == [grant, "bob", ids["bob"], "eve", ids["eve"], "x"]
    with pytest.raises(CliError, match="granted already"):
        says("bob", what, "grants", "add", ids["eve"], "--platform", "x")
    assert says("eve", what, "grants", "revoke", grant) == f"Revoked grant {grant}.\n"
    assert rows(says("bob", what, "grants", "list")) == []
    assert grant in says("bob", what, "grants", "list", "--ended")


def test_a_grant_to_nobody_is_one_line_with_the_fix(says: Says, what: str, session: Session) -> None:
    with pytest.raises(CliError, match="There is no user 'nobody' here: `xget whoami` tells"):
        says("bob", what, "grants", "add", "nobody")
    with pytest.raises(CliError, match="no user with this id") as refused, session("bob") as bob:
        bob.post(f"/api/v1/{what}/grants", {"grantee_id": "nobody"})
    assert refused.value.problem["status"] == 422


def test_a_name_that_looks_like_an_id_gets_nothing_of_whose_id_it_is(
    says: Says, ids: dict[str, str], session: Session
) -> None:
    with session("eve") as client:
        client.post("/api/v1/auth/register", {"username": ids["bob"], "password": "correct horse battery"})
    made = json.loads(says("ada", "accounts", "grants", "add", ids["bob"], "--json"))
    assert made["grantee_id"] == ids["bob"]
    says("ada", "accounts", "grants", "revoke", made["id"])


def test_an_administrator_grants_for_another(says: Says, ids: dict[str, str], what: str) -> None:
    made = json.loads(says("ada", what, "grants", "add", "eve", "--owner", "bob", "--json"))
    assert (made["owner_id"], made["granted_by"]) == (ids["bob"], ids["ada"])
    with pytest.raises(CliError, match="role admin"):
        says("eve", what, "grants", "add", "bob", "--owner", "ada")
    says("ada", what, "grants", "revoke", made["id"])


async def leased(town: Path, who: str) -> str:
    """The account that a run of somebody leases."""
    channel = RpcChannel(f"127.0.0.1:{(town / 'home' / 'pool.port').read_text()}", "inner")
    wish = pb.AcquireRequest(owner_id=who, platform="x", operation="SearchTimeline", holder="run-1", requester_id=who)
    lease = (await channel.stub(AccountPoolStub).Acquire(wish)).lease
    await channel.close()
    return lease.account_id


def test_what_is_lent_names_its_owner_and_who_used_it(
    says: Says, session: Session, ids: dict[str, str], town: Path
) -> None:
    with session("bob") as bob:
        account: dict[str, Any] = bob.post("/api/v1/accounts", {"username": "grace", "cookies": COOKIES})
    grant = json.loads(says("bob", "accounts", "grants", "add", "eve", "--only", account["id"], "--json"))["id"]
    (row,) = rows(says("eve", "accounts", "lent"))
    assert row.split()[:2] == [account["id"], "bob"]
    assert says("bob", "accounts", "leases", account["id"]).startswith("0 uses")
    with session("eve") as eve:
        assert usable_account_id(eve, "GRACE") == account["id"]
    assert asyncio.run(leased(town, ids["eve"])) == account["id"]
    (row,) = rows(says("bob", "accounts", "leases", account["id"]))
    assert row.split()[2:] == ["1", "SearchTimeline", "run-1", "eve", ids["eve"]]
    found = json.loads(says("bob", "accounts", "leases", account["id"], "--json"))
    assert [use["requester_id"] for use in found["items"]] == [ids["eve"]]
    with pytest.raises(CliError, match="no such account"):
        says("eve", "accounts", "leases", account["id"])
    says("bob", "accounts", "grants", "revoke", grant)
    assert says("eve", "accounts", "lent").startswith("0 accounts")
    with session("eve") as eve, pytest.raises(CliError, match="There is no account 'grace' here"):
        usable_account_id(eve, "grace")


def test_a_lent_account_is_never_taken_for_ones_own(says: Says, session: Session) -> None:
    made = []
    for who, platform in (("bob", "x"), ("eve", "x"), ("eve", "x_api"), ("ada", "x")):
        with session(who) as client:
            made.append(client.post("/api/v1/accounts", {"username": "Rosalind", "platform": platform})["id"])
    for who, account in (("bob", made[0]), ("ada", made[3])):
        says(who, "accounts", "grants", "add", "eve", "--only", account)
    with session("eve") as eve:
        with pytest.raises(CliError, match="2 have the name Rosalind, say which by its id") as refused:
            usable_account_id(eve, "rosalind")
        assert made[1] in refused.value.message
        for one in made[1:3]:
            says("eve", "accounts", "delete", one)
    with session("eve") as eve, pytest.raises(CliError, match="2 have the name Rosalind, say which by its id") as lent:
        usable_account_id(eve, "rosalind")
    assert made[0] in lent.value.message
    for who, account in (("bob", made[0]), ("ada", made[3])):
        says(who, "accounts", "delete", account)


def test_lent_proxies_tell_their_owner_and_what_is_left(says: Says, session: Session, ids: dict[str, str]) -> None:
    with session("bob") as bob:
        proxy = bob.post("/api/v1/proxies", {"type": "http", "ip": "8.8.8.8", "port": 1, "daily_budget": 1000})
    grant = json.loads(says("bob", "proxies", "grants", "add", "eve", "--platform", "x", "--json"))["id"]
    (row,) = rows(says("eve", "proxies", "lent"))
    assert row.split()[:6] == [proxy["id"], "bob", ids["bob"], "x", "http", "ACTIVE"]
    assert "1,000 of 1,000" in row
    says("bob", "proxies", "grants", "revoke", grant)
    assert json.loads(says("eve", "proxies", "lent", "--json"))["total"] == 0


def test_the_trail_tells_who_did_what_by_name(says: Says, ids: dict[str, str], what: str) -> None:
    grant = json.loads(says("bob", what, "grants", "add", "eve", "--json"))["id"]
    says("eve", what, "grants", "revoke", grant)
    told = [row.split()[1:5] for row in rows(says("bob", "audit", "--of", what, "--subject", grant))]
    assert told == [["eve", ids["eve"], "token", "grant.revoked"], ["bob", ids["bob"], "token", "grant.given"]]
    found = json.loads(says("ada", "audit", "--actor", "eve", "--action", "grant.revoked", "--json", "--limit", "1"))
    assert [row["actor"] for row in found["items"]] == [ids["eve"]]
    assert rows(says("eve", "audit", "--subject", grant)) == [], "another's trail"
    assert rows(says("bob", "audit", "--subject", grant, "--until", "2001-01-01T00:00:00Z")) == []


def test_keys_that_wrote_nothing_are_retired_and_brought_back(says: Says, session: Session) -> None:
    with session("bob") as bob:
        bob.post("/api/v1/accounts", {"username": "hedy", "cookies": COOKIES})
    (old,) = [key["id"] for key in json.loads(says("ada", "keys", "status", "--json"))["keys"]]
    says("ada", "keys", "rotate", "--only-new-rows")
    assert "stays: `xget keys rotate` first" in says("ada", "keys", "prune", "--yes"), "it wrote what is stored"
    says("ada", "keys", "rotate")
    plan = says("ada", "keys", "prune")
    assert f"account, proxy, auth: the key {old} wrote nothing that is stored and would be retired." in plan
    assert "Nothing was changed: add --yes." in plan
    assert json.loads(says("ada", "keys", "prune", "--yes", "--json"))["plans"][0]["retire"] == [old]
    (away,) = [line for line in says("ada", "keys", "status").splitlines() if old in line]
    assert "retired" in away
    assert f"the key {old} stays retired until" in says("ada", "keys", "prune", "--yes")
    assert says("ada", "keys", "restore", old) == f"The key {old} opens again what it wrote.\n"
    told = json.loads(says("ada", "audit", "--of", "accounts", "--actor", "ada", "--json"))["items"]
    keys = [row["action"] for row in told if row["action"].startswith("keys.re") and "encrypt" not in row["action"]]
    assert keys == ["keys.restored", "keys.restore_begun", "keys.retired", "keys.retire_begun"]


def test_a_key_that_was_dropped_is_gone_for_ever(says: Says) -> None:
    says("ada", "keys", "rotate")
    says("ada", "keys", "prune", "--yes")
    (old, *_) = [key["id"] for key in json.loads(says("ada", "keys", "status", "--json"))["keys"] if key["retired_at"]]
    assert f"the key {old} was retired 0 days ago or more and was dropped" in says(
        "ada", "keys", "prune", "--older-than", "0h", "--yes"
    )
    with pytest.raises(CliError, match=f"There is no retired key {old}: `xget keys status`"):
        says("ada", "keys", "restore", old)


@pytest.mark.parametrize(
    ("who", "words", "sentence"),
    [
        ("bob", ("prune", "--yes"), "This needs the role admin"),
        ("bob", ("restore", "k"), "This needs the role admin"),
        ("ada", ("prune", "--older-than", "old"), "'old' is no age: write it like 30d"),
        ("ada", ("restore", "k"), "There is no retired key k: `xget keys status` names them"),
    ],
)
def test_bad_words_about_keys_are_one_line(who: str, words: tuple[str, ...], sentence: str, says: Says) -> None:
    with pytest.raises(CliError) as refused:
        says(who, "keys", *words)
    assert sentence in refused.value.message
    assert "\n" not in refused.value.message


def test_accounts_are_called_by_name_whatever_its_case(says: Says, session: Session) -> None:
    with session("eve") as eve:
        made: dict[str, Any] = eve.post("/api/v1/accounts", {"username": "Marie_C", "cookies": COOKIES})
    for words in (("status",), ("history",), ("leases",), ("logins",), ("retire",), ("revive",)):
        assert says("eve", "accounts", *words, "marie_c")
        assert says("eve", "accounts", *words, "@MARIE_C", "--platform", "x")
    told = json.loads(says("eve", "accounts", "status", "marie_c", "--json"))
    assert told == json.loads(says("eve", "accounts", "status", made["id"], "--json"))
    grant = json.loads(says("eve", "accounts", "grants", "add", "bob", "--only", "marie_c", "--json"))
    assert grant["subject_id"] == made["id"]
    says("eve", "accounts", "grants", "revoke", grant["id"])
    with pytest.raises(CliError, match=r"no account 'marie_c' of medium here: `xget accounts list` shows yours\."):
        says("eve", "accounts", "delete", "marie_c", "--platform", "medium")
    with pytest.raises(CliError, match=r"no account 'mary_c' here \(near it: Marie_C\): `xget accounts list`"):
        says("eve", "accounts", "status", "mary_c")
    with pytest.raises(CliError, match=r"no account 'marie_c' here: `xget accounts list`"):
        says("bob", "accounts", "status", "marie_c")  # another's
    assert says("eve", "accounts", "delete", "marie_c") == "Deleted account marie_c.\n"


def test_a_name_that_several_have_is_answered_with_their_ids(says: Says, session: Session) -> None:
    made = []
    for who, platform in (("bob", "x"), ("bob", "x_api"), ("eve", "x")):
        with session(who) as client:
            made.append(client.post("/api/v1/accounts", {"username": "Emmy", "platform": platform})["id"])
    for who, ids in (("bob", made[:2]), ("ada", made)):
        with pytest.raises(CliError) as refused:
            says(who, "accounts", "status", "emmy")
        assert f"{len(ids)} have the name Emmy, say which by its id:" in refused.value.message
        assert all(one in refused.value.message for one in ids)
    told = json.loads(says("bob", "accounts", "status", "emmy", "--platform", "x_api", "--json"))
    assert told["id"] == made[1]
    for one in made:
        assert says("ada", "accounts", "delete", one)


def test_proxies_are_called_by_address(says: Says, session: Session) -> None:
    with session("eve") as eve:
        made = [
            eve.post("/api/v1/proxies", {"type": kind, "ip": ip, "port": 8080})["id"]
            for kind, ip in (("http", "8.8.4.4"), ("socks5", "8.8.4.4"), ("http", "2001:4860:4860::8888"))
        ]
    for name, proxy in (("SOCKS5://8.8.4.4:8080", made[1]), ("[2001:4860:4860:0::8888]:8080", made[2])):
        assert json.loads(says("eve", "proxies", "show", name, "--json"))["id"] == proxy
    with pytest.raises(CliError, match=r"2 have the name .*, say which by its id"):
        says("eve", "proxies", "delete", "8.8.4.4")
    with pytest.raises(CliError, match=r"no proxy '8.8.4.5:8080' here \(near it: http://8.8.4.4:8080"):
        says("eve", "proxies", "show", "8.8.4.5:8080")
    for nonsense in ("a b", "ftp://x:1", "8.8.4.4:99999999", "../accounts"):
        with pytest.raises(CliError, match="There is no proxy"):
            says("eve", "proxies", "show", nonsense)
    assert says("eve", "proxies", "delete", "http://8.8.4.4:8080") == "Deleted proxy http://8.8.4.4:8080.\n"
    for one in made[1:]:
        says("eve", "proxies", "delete", one)


@pytest.mark.parametrize("name", ["", "@", "../users/me", "a/b", "?x=1", "ada\n", "x" * 5000])
def test_no_name_leads_to_another_address(name: str, says: Says) -> None:
    with pytest.raises(CliError, match="xget accounts list") as refused:
        says("bob", "accounts", "delete", name)
    assert len(refused.value.message) < 400


def test_the_trail_of_an_account_is_found_by_its_name(says: Says, session: Session) -> None:
    with session("eve") as eve:
        made = eve.post("/api/v1/accounts", {"username": "Lise", "cookies": COOKIES})["id"]
        proxy = eve.post("/api/v1/proxies", {"type": "http", "ip": "8.8.4.4", "port": 81})["id"]
    for name, one in (("lise", made), ("8.8.4.4:81", proxy)):
        (row,) = json.loads(says("eve", "audit", "--subject", name, "--action", f"{_kind(name)}.created", "--json"))[
            "items"
        ]
        assert row["subject_id"] == one
    (row,) = json.loads(says("eve", "audit", "--subject", "HTTP://8.8.4.4:81", "--of", "proxies", "--json"))["items"]
    assert row["subject_id"] == proxy
    for nobody in ("nobody", "@"):
        assert rows(says("eve", "audit", "--subject", nobody)) == []
    says("eve", "accounts", "delete", "lise")
    says("eve", "proxies", "delete", proxy)


def test_a_login_that_is_under_way_is_followed_instead_of_refused(
    says: Says, session: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    with session("eve") as eve:
        made = {"username": "Emmy", "password": "pw", "email": "e@mail.test", "email_password": "m"}
        path = f"/api/v1/accounts/{eve.post('/api/v1/accounts', made)['id']}"
        assert says("eve", "accounts", "login", "emmy").startswith("The login is queued.")
        with pytest.raises(CliError, match="follow it with `xget accounts login emmy --watch`"):
            says("eve", "accounts", "login", "emmy")
        before = eve.get(f"{path}/logins")["items"]
        ended = threading.Timer(1, eve.call, ("DELETE", path))  # no worker runs here that could end it
        ended.start()
        with pytest.raises(CliError, match="no such account"):
            says("eve", "accounts", "login", "emmy", "--watch")
        ended.join()
    assert len(before) == 1
    assert "wait" in capsys.readouterr().out.lower()


def _kind(name: str) -> str:
    return "proxy" if ":" in name else "account"
