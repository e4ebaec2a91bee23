"""Workers that lose a login to another: they stop at once and keep nothing. What counts as a try of the day."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from xget_account.adapters.login.browser import BrowserFlow, BrowserRules
from xget_account.ports import Credentials, LoginResult, OnStep
from xget_testing.browsers import left_below
from xget_testing.logins import ALICE, Dying, alice, last, make_runner, sandbox

__all__ = ["alice", "make_runner", "sandbox"]

SHORT = timedelta(seconds=1.5)
"""A lease that is renewed every half second."""


class Held:
    """Keeps a worker's transactions waiting, as a slow disk does: `async with held.lock`."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()

    def via(self, work: Callable[[], Any]) -> Callable[[], Any]:
        @asynccontextmanager
        async def working() -> AsyncIterator[Any]:
            async with self.lock, work() as parts:
                yield parts

        return working


async def login_of(client: Any, account_id: str) -> dict[str, Any] | None:
    """The login that runs for the account, if one does."""
    running: dict[str, Any] | None = (await client.get(f"/api/v1/accounts/{account_id}/status")).json()["login"]
    return running


async def one_try(client: Any, sandbox: Any, account_id: str) -> dict[str, Any]:
    """The account's only try, ended by the worker that took over; the account can work."""
    (tried,) = (await client.get(f"/api/v1/accounts/{account_id}/logins")).json()["items"]
    status = (await client.get(f"/api/v1/accounts/{account_id}/status")).json()
    assert (status["state"], status["usable"], status["login"]) == ("ACTIVE", True, None)
    assert (tried["outcome"], tried["sentence"]) == ("logged_in", "Logged in with its password.")
    assert sandbox.people.told()["accounts"][0]["logins"] == 1
    return dict(tried)


async def test_a_worker_whose_heartbeat_was_late_is_stopped_by_the_next_one(
    client, alice, make_runner, clock, sandbox
) -> None:  # fmt: skip
    late, held = Dying(), Held()
    running = asyncio.create_task(make_runner(flow=lambda *_: late, via=held.via, lease=SHORT).run())
    await late.begun.wait()
    async with held.lock:
        clock.advance(2)
        assert await make_runner().run() == 1
    async with asyncio.timeout(60):
        await late.cut.wait()
        assert await running == 1, "its worker lives, and looks for the next login"
    await one_try(client, sandbox, alice)


class Stepping(Dying):
    """Comes to its next step when another has the login."""

    went_on = False

    async def log_in(self, given: Credentials, on_step: OnStep) -> LoginResult:
        result = await super().log_in(given, on_step)
        await on_step("password")
        self.went_on = True
        return result


async def test_a_worker_that_lost_its_login_asks_the_platform_for_nothing_more(
    client, alice, make_runner, clock, sandbox
) -> None:  # fmt: skip
    late = Stepping()
    running = asyncio.create_task(make_runner(flow=lambda *_: late).run())
    await late.begun.wait()
    clock.advance(31)
    assert await make_runner().run() == 1
    late.gate.set()
    assert await running == 1
    assert not late.went_on
    await one_try(client, sandbox, alice)


async def test_a_worker_that_reaches_its_database_no_more_stops_when_its_lease_ends(
    client, alice, make_runner, clock, sandbox
) -> None:  # fmt: skip
    late, cut_off = Dying(), asyncio.Event()

    def via(work: Callable[[], Any]) -> Callable[[], Any]:
        @asynccontextmanager
        async def working() -> AsyncIterator[Any]:
            if cut_off.is_set():
                raise ConnectionError("no way to the database")
            async with work() as parts:
                yield parts

        return working

    running = asyncio.create_task(make_runner(flow=lambda *_: late, via=via, lease=SHORT).run())
    await late.begun.wait()
    cut_off.set()
    await asyncio.sleep(0.7)
    assert not late.cut.is_set(), "the lease still holds: the next beat may get through"
    clock.advance(2)
    async with asyncio.timeout(60):
        await late.cut.wait()
        with pytest.raises(ConnectionError):
            await running
    assert await make_runner().run() == 1
    await one_try(client, sandbox, alice)


@pytest.mark.slow
@pytest.mark.connected("chromium")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_the_browser_of_a_login_that_is_lost_is_ended(
    client, *, add_account, make_runner, clock, sandbox, tmp_path: Path
) -> None:  # fmt: skip
    person = {**ALICE, "username": "ann", "email": "ann@mail.test", "email_password": "mail pw"}
    sandbox.people.register({**person, "challenge": "email_code"})
    account = (await add_account(**person, cookies=None))["id"]
    hosts = f"mail.test=localhost:{sandbox.imap_port}"
    browser = BrowserFlow(BrowserRules(home=tmp_path, imap_hosts=hosts))
    sandbox.people.post.set({"lost": True})
    held = Held()
    running = asyncio.create_task(make_runner(flow=lambda *_: browser, via=held.via, lease=SHORT).run())
    async with asyncio.timeout(120):
        while (await login_of(client, account) or {}).get("step") != "code":  # noqa: ASYNC110 - it is asked for over HTTP
            await asyncio.sleep(0.05)
    assert left_below() != []
    sandbox.people.post.set({"lost": False})
    async with held.lock:
        clock.advance(2)
        assert await make_runner().run() == 1
    async with asyncio.timeout(60):
        assert await running == 1
    assert left_below() == []
    assert (await last(client, account))["sentence"] == "Logged in with its password."
    assert [one["logins"] for one in sandbox.people.told()["accounts"]] == [0, 1]


class Dead(BaseException):
    """SIGKILL: nothing more is done, and nothing is caught."""


@pytest.mark.parametrize(("steps", "counted"), [([], 0), (["starting"], 0), (["starting", "opening", "password"], 1)])
async def test_a_try_counts_for_the_day_once_the_platform_is_asked(
    client, alice, make_runner, clock, *, steps, counted
) -> None:  # fmt: skip
    class DiesAfter:
        async def log_in(self, given: Credentials, on_step: OnStep) -> LoginResult:
            for step in steps:
                await on_step(step)
            raise Dead

    with pytest.raises(Dead):
        await make_runner(flow=lambda *_: DiesAfter()).run()
    seen = Dying()
    clock.advance(31)
    running = asyncio.create_task(make_runner(flow=lambda *_: seen).run())
    await seen.begun.wait()
    login = (await client.get(f"/api/v1/accounts/{alice}/status")).json()["login"]
    assert (login["starts"], login["number"]) == (2, counted + 1)
    seen.gate.set()
    assert await running == 1
