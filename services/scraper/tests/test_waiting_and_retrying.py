"""No account, strange answers, parts of XGet that are away: waits, tries again, or ends with a typed reason."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

import xget_scraper.worker
from xget_db.engine import Database
from xget_kernel.errors import Full, Unavailable
from xget_sources.ports import NoAccount, SourceStopped
from xget_telemetry import logs
from xget_testing.collecting import LeapClock, World

pytestmark = pytest.mark.slow


async def test_it_waits_for_an_account_and_says_until_when(world: World) -> None:
    resume_at = datetime.now(UTC) + timedelta(hours=1)

    def refuse() -> None:
        raise NoAccount("None of 7 accounts has room now.", resume_at, accounts=3)

    world.sessions.refuse = refuse
    task = await world.create()
    async with world.worker():
        status = await world.once(task, lambda found: found["execution"]["resume_at"] is not None)
    assert status["status"] == "RUNNING"
    assert status["message"] == f"None of 7 accounts has room now. It resumes {resume_at:%H:%M} UTC, 3 accounts."
    assert datetime.fromisoformat(status["execution"]["resume_at"]) == resume_at
    waiting = status["execution"]["waiting"]
    assert (waiting["reason"], waiting["accounts"]) == ("account", 3)
    assert datetime.fromisoformat(waiting["until"]) == resume_at
    assert datetime.fromisoformat(waiting["since"]) <= datetime.now(UTC)


async def test_lists_of_tasks_say_who_waits_for_what(world: World) -> None:
    async def listed() -> dict[str, Any]:
        (found,) = (await world.client.get("/api/v1/tasks")).json()["items"]
        return {"status": found["status"], **(found["waiting"] or {"reason": None})}

    refusals = [NoAccount("None has room.", datetime.now(UTC) + timedelta(hours=1), accounts=7)]

    def refuse() -> None:
        if refusals:
            raise refusals.pop()

    world.sessions.refuse = refuse
    task = await world.create()
    assert (await listed())["reason"] == "worker"
    async with world.worker():
        status = await world.once(task, lambda found: found["execution"]["resume_at"] is not None)
        shown = await listed()
        assert shown == {"status": "RUNNING"} | status["execution"]["waiting"]
        assert (shown["reason"], shown["accounts"]) == ("account", 7)
        await world.client.post(f"/api/v1/tasks/{task['id']}/stop")
        await world.until(task)
    assert await listed() == {"status": "STOPPED", "reason": None}


async def test_it_goes_on_where_it_was_when_an_account_has_room(world: World) -> None:
    calls = []

    def refuse_third() -> None:
        calls.append(1)
        if len(calls) == 3:
            raise NoAccount("Later.", datetime.now(UTC) + timedelta(seconds=0.3))

    world.sessions.refuse = refuse_third
    task = await world.create()
    async with world.worker():
        status = await world.until(task)
    assert status["result_count"] == 45
    assert world.source.requested == [0, 10, 20, 30, 40]
    assert [tenant.sticky_account_id for tenant in world.sessions.tenants] == [None, "account-1"]


async def test_a_wait_beyond_the_longest_ends_as_rate_limited_out(world: World) -> None:
    def refuse() -> None:
        raise NoAccount("None has room before tomorrow evening.", datetime.now(UTC) + timedelta(hours=30))

    world.sessions.refuse = refuse
    task = await world.create()
    async with world.worker():
        status = await world.until(task)
    assert (status["status"], status["execution"]["end_reason"]) == ("FAILED", "rate_limited_out")
    assert status["error_message"] == "None has room before tomorrow evening."


async def test_no_account_at_all_fails_with_the_pools_sentence(world: World) -> None:
    def refuse() -> None:
        raise NoAccount("There is no account of x to work with.", None)

    world.sessions.refuse = refuse
    task = await world.create()
    async with world.worker():
        status = await world.until(task)
    assert (status["status"], status["execution"]["end_reason"]) == ("FAILED", "no_account")
    assert status["error_message"] == "There is no account of x to work with."


async def test_a_waiting_execution_can_be_stopped(world: World) -> None:
    def refuse() -> None:
        raise NoAccount("Later.", datetime.now(UTC) + timedelta(hours=1))

    world.sessions.refuse = refuse
    task = await world.create()
    async with world.worker():
        await world.once(task, lambda found: found["execution"]["resume_at"] is not None)
        await world.client.post(f"/api/v1/tasks/{task['id']}/stop")
        status = await world.until(task)
    assert status["status"] == "STOPPED"


async def test_a_retryable_stop_is_tried_again_and_forgotten(world: World) -> None:
    failures = [SourceStopped("source_error", "The connection broke.", retryable=True)]

    async def fail_once(index: int) -> None:
        if index == 20 and failures:
            raise failures.pop()

    world.source.before = fail_once
    task = await world.create()
    async with world.worker():
        status = await world.until(task)
    certificate = await world.certificate(status)
    assert (certificate["end_reason"], certificate["retries"]) == ("exhausted", 1)
    assert world.source.requested == [0, 10, 20, 20, 30, 40]


@pytest.mark.slow
async def test_six_failed_tries_end_with_the_typed_reason_and_keep_what_there_is(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xget_scraper.service.routes.LONGEST_PAUSE", 0.1)

    async def fail(index: int) -> None:
        if index == 20:
            raise SourceStopped("blocked", "X answers with a page of HTML.", retryable=True)

    world.source.before = fail
    task = await world.create()
    async with world.worker():
        status = await world.until(task)
    assert (status["status"], status["execution"]["end_reason"]) == ("FAILED", "blocked")
    assert status["error_message"] == "X answers with a page of HTML. It was tried 6 times."
    assert status["result_count"] == 20
    assert world.source.requested == [0, 10, *[20] * 6]


async def test_a_final_stop_ends_at_once(world: World) -> None:
    async def fail(index: int) -> None:
        if index == 10:
            raise SourceStopped("blocked", "The user is suspended.")

    world.source.before = fail
    task = await world.create()
    async with world.worker():
        status = await world.until(task)
    assert (status["execution"]["end_reason"], status["error_message"]) == ("blocked", "The user is suspended.")


async def test_a_stalled_source_completes_without_being_complete(world: World) -> None:
    world.source.end_reason = "stalled"
    task = await world.create()
    async with world.worker():
        status = await world.until(task)
    certificate = await world.certificate(status)
    assert (certificate["status"], certificate["complete"]) == ("COMPLETED", False)
    assert "there may be more" in certificate["sentence"]


async def test_an_outage_of_xget_is_sat_out(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xget_scraper.service.checkpoints.OUTAGE_PAUSE", timedelta(seconds=0.1))
    outages = [Unavailable("The account service does not answer.") for _ in range(8)]

    async def away(index: int) -> None:
        if index == 10 and outages:
            raise outages.pop()

    world.source.before = away
    task = await world.create()
    async with world.worker():
        status = await world.until(task)
    assert status["execution"]["end_reason"] == "exhausted"
    assert status["execution"]["retries"] == 0


async def test_a_fault_in_a_source_is_tried_again_and_named(world: World) -> None:
    async def break_down(index: int) -> None:
        if index == 0:
            raise ZeroDivisionError

    world.source.before = break_down
    task = await world.create()
    async with world.worker():
        status = await world.once(task, lambda found: found["execution"]["retries"] == 1)
    assert status["message"] == "The source failed (ZeroDivisionError); the log says more. Try 2 of 6 follows."


async def test_a_full_disk_drops_the_run_with_a_line_in_the_log_and_it_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = StringIO()

    class SmallDisk(Database):
        @asynccontextmanager
        async def transaction(self) -> AsyncIterator[AsyncSession]:
            if world.source.requested[-1:] == [20] and "execution_dropped" not in written.getvalue():
                raise Full("The disk is full.")
            async with super().transaction() as session:
                yield session

    logs.configure("test", json=True, stream=written)
    monkeypatch.setattr(xget_scraper.worker, "Database", SmallDisk)
    task, clock = await world.create(), LeapClock()
    async with world.worker(clock=clock):
        async with asyncio.timeout(60):
            while "execution_dropped" not in written.getvalue():  # noqa: ASYNC110 - a log has no event
                await asyncio.sleep(0.01)
        clock.leap(120)  # the lease of what it dropped
        status = await world.until(task)
    assert (status["status"], status["result_count"]) == ("COMPLETED", 45)
    assert "Traceback" not in written.getvalue()
