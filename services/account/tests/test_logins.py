"""Accounts log in by themselves, against the sandbox."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyotp
import pytest

from xget.account.v1 import account_pool_pb2 as pb
from xget_account.adapters.login.ways import Ways
from xget_account.deps import Container
from xget_account.ports import Credentials, LoginResult
from xget_account.repository import LoginRepository
from xget_account.service.life import Life
from xget_account.service.logins import LoginRunner, Rules
from xget_account.settings import Settings
from xget_kernel.clock import ManualClock
from xget_kernel.secrets import Secret
from xget_sandbox.app import Options, Sandbox

TOTP = pyotp.random_base32()
ALICE = {"username": "alice", "password": "correct horse", "email": "alice@mail.test", "totp": TOTP}


class Via:
    """Every account has this proxy."""

    def __init__(self, url: str) -> None:
        self.url = url

    async def address(self, owner_id: str, proxy_id: str | None) -> Secret | None:
        return Secret(self.url)


@pytest.fixture
async def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Sandbox]:
    monkeypatch.setenv("TWS_TELEMETRY", "0")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    async with Sandbox(Options(port=0, posts=20, ca_file=tmp_path / "ca.pem")) as sandbox:
        sandbox.people.register(ALICE)
        yield sandbox


@pytest.fixture
def make_runner(
    app: Any, client: Any, clock: ManualClock, sandbox: Sandbox, settings: Settings
) -> Callable[..., LoginRunner]:
    """A worker's side of logins on the tables of the app."""
    built: Container = replace(app.state.account, login_proxies=Via(sandbox.proxy_url))
    app.state.account = built

    @asynccontextmanager
    async def work() -> AsyncIterator[tuple[LoginRepository, Life]]:
        async with built.database.transaction() as session:
            yield LoginRepository(session), built.life(session)

    def make(*, flow: Any = None, proxy: str = sandbox.proxy_url, **rules: Any) -> LoginRunner:
        from_settings = settings.model_copy(update={"login_with": "flow"})
        return LoginRunner(
            name="w", work=work, flow=flow or Ways(from_settings).flow, proxies=Via(proxy),
            vault=built.vault, clock=clock, rules=Rules(**rules),
        )  # fmt: skip

    return make


@pytest.fixture
async def alice(add_account: Callable[..., Awaitable[dict[str, Any]]]) -> str:
    return str((await add_account(**ALICE, cookies=None))["id"])


async def last(client: Any, account_id: str) -> dict[str, Any]:
    found: dict[str, Any] = (await client.get(f"/api/v1/accounts/{account_id}/logins")).json()["items"][0]
    return found


async def test_an_account_with_a_password_is_logged_in_once_and_can_work(client, alice, make_runner, sandbox) -> None:
    asked = await client.post(f"/api/v1/accounts/{alice}/login")
    assert (asked.status_code, asked.json()["outcome"]) == (202, None)
    again = await client.post(f"/api/v1/accounts/{alice}/login")
    assert (again.status_code, again.json()["type"]) == (409, "urn:xget:error:login_under_way")
    assert await make_runner().run() == 1
    status = (await client.get(f"/api/v1/accounts/{alice}/status")).json()
    assert (status["state"], status["usable"]) == ("ACTIVE", True)
    done = await last(client, alice)
    assert (done["outcome"], done["asked_by"]) == ("logged_in", "ada")
    assert sandbox.people.told()["accounts"][0]["logins"] == 1
    assert await make_runner().run() == 0


async def test_a_person_gets_a_ticket_that_is_good_once_and_keeps_his_session(client, alice, make_runner) -> None:
    begun = await client.post(f"/api/v1/accounts/{alice}/assist")
    ticket = begun.json()
    assert (begun.status_code, begun.headers["cache-control"], ticket["browser_state"]) == (201, "no-store", None)
    assert "correct horse" not in begun.text
    assert (await client.post(f"/api/v1/accounts/{alice}/login")).status_code == 409
    assert await make_runner().run() == 0
    path = f"/api/v1/accounts/{alice}/assist/{ticket['attempt_id']}"
    cookies = [{"name": name, "value": "v" * 40, "domain": ".x.com", "path": "/"} for name in ("auth_token", "ct0")]
    state = {"cookies": cookies, "origins": []}
    forged = await client.post(path, json={"ticket": "forged", "browser_state": state})
    assert (forged.status_code, forged.json()["type"]) == (409, "urn:xget:error:ticket_void")
    ended = await client.post(path, json={"ticket": ticket["ticket"], "browser_state": state})
    assert (ended.status_code, ended.json()["outcome"], ended.json()["asked_by"]) == (200, "logged_in", "ada")
    assert (await client.get(f"/api/v1/accounts/{alice}/status")).json()["state"] == "ACTIVE"
    assert (await client.post(path, json={"ticket": ticket["ticket"]})).status_code == 409


async def test_a_person_who_does_not_come_back_blocks_nobody(client, alice, make_runner, clock, tokens) -> None:
    await client.post(f"/api/v1/accounts/{alice}/assist")
    clock.advance(1801)
    client.headers["Authorization"] = f"Bearer {tokens.make('ada', ['operator'])}"
    await make_runner().run()
    assert (await last(client, alice))["outcome"] == "given_up"
    assert (await client.get(f"/api/v1/accounts/{alice}/status")).json()["state"] == "NEEDS_HUMAN"


@pytest.mark.parametrize(
    "case",
    [
        ({"totp": "JBSWY3DPEHPK3PXP"}, {"totp": "jbsw y3dp ehpk 3pxp"}, "logged_in", "ACTIVE"),
        ({}, {"password": "other"}, "wrong_password", "NEEDS_LOGIN"),
        ({}, {"totp": "JBSWY3DPEHPK3PXP"}, "wrong_totp", "NEEDS_LOGIN"),
        ({}, {"totp": None}, "missing_secret", "NEEDS_LOGIN"),
        ({"challenge": "captcha"}, {}, "challenge", "NEEDS_HUMAN"),
        ({"challenge": "strange"}, {}, "unknown_step", "NEEDS_HUMAN"),
        ({"challenge": "denied", "totp": ""}, {}, "denied", "NEEDS_HUMAN"),
        ({"challenge": "suspended"}, {}, "suspended", "SUSPENDED"),
    ],
)
async def test_every_end_has_its_word_and_state_and_is_tried_once(
    client, add_account, make_runner, sandbox, case
) -> None:
    person, given, outcome, state = case
    sandbox.people.register({**ALICE, **person})
    account = (await add_account(**{**ALICE, "cookies": None, **given}))["id"]
    assert await make_runner().run() == 1
    done = await last(client, account)
    assert (done["outcome"], done["asked_by"], done["sentence"][-1]) == (outcome, "worker", ".")
    assert (await client.get(f"/api/v1/accounts/{account}/status")).json()["state"] == state
    assert await make_runner().run() == 0
    assert sandbox.people.told()["accounts"][0]["wrong"] <= 1


async def test_a_refused_password_is_not_tried_again_until_it_changes(client, add_account, make_runner, clock) -> None:
    account = (await add_account(**{**ALICE, "cookies": None, "password": "other"}))["id"]
    path = f"/api/v1/accounts/{account}"
    assert await make_runner().run() == 1
    clock.advance(600)
    assert (await client.put(path, json={"daily_budget": 10})).status_code == 200
    assert await make_runner().run() == 0
    assert (await client.put(path, json={"password": ALICE["password"]})).status_code == 200
    assert await make_runner().run() == 1
    assert (await client.get(f"{path}/status")).json()["state"] == "ACTIVE"


async def test_a_dead_proxy_is_tried_again_after_pauses_that_grow_up_to_the_cap(
    client, alice, make_runner, clock, tokens
) -> None:
    runner, tried = make_runner(proxy="http://127.0.0.1:9", daily_cap=3), []
    for minute in range(60):
        if await runner.run():
            tried.append(minute)
        clock.advance(60)
    assert tried == [0, 1, 6]
    client.headers["Authorization"] = f"Bearer {tokens.make('ada', ['operator'])}"
    done = await last(client, alice)
    assert (done["outcome"], done["sentence"]) == (
        "network", "X cannot be reached through its proxy (api.x.com): look at the proxy."
    )  # fmt: skip


@pytest.mark.parametrize("totp", ["123456", "not base32!", "JBSW"])
async def test_a_totp_secret_that_is_none_is_refused_at_once(client, totp: str) -> None:
    created = await client.post("/api/v1/accounts", json={"username": "zoe", "totp": totp})
    assert (created.status_code, created.json()["errors"][0]["field"]) == (422, "totp")
    text = f"username,password,totp\nzoe,pw,{totp}\n"
    line = (await client.post("/api/v1/accounts/import", json={"text": text})).json()["lines"][0]
    assert (line["outcome"], "TOTP secret" in line["reason"]) == ("refused", True)
    assert totp not in created.text


async def test_an_expired_session_is_renewed_and_the_account_works_again(
    client, alice, make_runner, sandbox, pool
) -> None:  # fmt: skip
    await make_runner().run()
    wish = {"owner_id": "ada", "platform": "x", "operation": "SearchTimeline", "ttl_seconds": 60}
    lease = (await pool.Acquire(pb.AcquireRequest(**wish, holder="one"))).lease
    sandbox.people.expire()
    token = {"lease_id": lease.lease_id, "fencing_token": lease.fencing_token}
    await pool.Report(pb.ReportRequest(**token, operation="SearchTimeline", status=401, error_codes=[32]))
    await pool.Release(pb.ReleaseRequest(**token))
    assert (await client.get(f"/api/v1/accounts/{alice}/status")).json()["state"] == "NEEDS_LOGIN"
    assert await make_runner().run() == 1
    fresh = (await pool.Acquire(pb.AcquireRequest(**wish, holder="two"))).lease
    assert fresh.cookies["auth_token"] in sandbox.people.sessions
    assert fresh.cookies["auth_token"] != lease.cookies["auth_token"]


class Dying:
    """A worker that is killed in the middle of a login, and one that comes back too late."""

    def __init__(self) -> None:
        self.begun, self.gate = asyncio.Event(), asyncio.Event()

    async def log_in(self, given: Credentials) -> LoginResult:
        self.begun.set()
        await self.gate.wait()
        return LoginResult("logged_in", "Late.", {"auth_token": "late", "ct0": "late"})


async def test_a_dead_workers_login_is_begun_anew_and_its_late_result_is_thrown_away(
    client, alice, make_runner, clock, sandbox
) -> None:  # fmt: skip
    dying = Dying()
    late = asyncio.create_task(make_runner(flow=lambda *_: dying).run())
    await dying.begun.wait()
    assert await make_runner().run() == 0, "nobody logs in while another does"
    clock.advance(31)
    assert await make_runner().run() == 1
    assert sandbox.people.told()["accounts"][0]["logins"] == 1
    dying.gate.set()
    await late
    done = await last(client, alice)
    assert (done["outcome"], done["sentence"]) == ("logged_in", "Logged in with its password.")
    assert len((await client.get(f"/api/v1/accounts/{alice}/logins")).json()["items"]) == 1
