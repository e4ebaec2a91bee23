"""A worker that dies anywhere loses nothing and doubles nothing: another goes on from the checkpoint.

The crash is an exception that nothing in the product catches, raised by the log or the database under the worker.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import xget_scraper.worker
from xget_events.sqlite import SqliteEventLog
from xget_scraper.settings import Settings
from xget_testing.collecting import CrashingLog, LeapClock, World, crashing_database, dead

pytestmark = pytest.mark.slow


def patient(world: World) -> Settings:
    """Settings of a stopping worker that a busy machine may hold up while the page in hand finishes."""
    return world.settings.model_copy(update={"scraper_drain_seconds": 60.0})


def later() -> LeapClock:
    """The clock of a worker that comes when the leases of the dead have ended."""
    clock = LeapClock()
    clock.leap(120)
    return clock


async def assert_all_is_there(world: World, task: dict[str, Any], *, matched: int = 45) -> dict[str, Any]:
    status = await world.until(task)
    assert status["status"] == "COMPLETED", status
    certificate = await world.certificate(status)
    assert certificate["counts"]["matched"] == matched
    assert certificate["counts"]["duplicate"] == 0
    assert certificate["pages"] == 5
    assert status["result_count"] == matched
    assert world.storage.keys(status["execution"]["id"]) == sorted(world.source.keys)
    return certificate


@pytest.mark.parametrize("durable", [False, True], ids=["before-publish", "after-publish"])
@pytest.mark.parametrize("page", [1, 3, 5])
async def test_a_crash_around_a_publish_repeats_the_page(
    world: World, log: SqliteEventLog, page: int, durable: bool
) -> None:
    task = await world.create()
    async with world.worker(log=CrashingLog(log, page, durable=durable)) as worker:
        await dead(worker)
    async with world.worker(clock=later()):
        certificate = await assert_all_is_there(world, task)
    assert certificate["resumes"] == 1
    published = [(p.page_no, p.attempt) for p in world.storage.pages]
    again = [(page, 1)] if durable else []
    assert sorted(published) == sorted([(n, 1 if n < page else 2) for n in range(1, 6)] + again)


@pytest.mark.slow
@pytest.mark.parametrize("committed", [False, True], ids=["before-commit", "after-commit"])
@pytest.mark.parametrize("transaction", range(1, 13))
async def test_a_crash_around_a_commit_loses_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, transaction: int, committed: bool
) -> None:
    task = await world.create()
    with monkeypatch.context() as patch:
        patch.setattr(xget_scraper.worker, "Database", crashing_database(transaction, committed=committed))
        async with world.worker() as worker:
            ending = asyncio.create_task(world.until(task))
            await asyncio.wait({worker, ending}, return_when=asyncio.FIRST_COMPLETED)
            ending.cancel()
            await asyncio.gather(ending, return_exceptions=True)
    async with world.worker(clock=later()):
        await assert_all_is_there(world, task)


class NoHeartbeat(LeapClock):
    """The clock of a worker whose periodic work stands still."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.Event().wait()


async def test_a_worker_that_wakes_up_too_late_publishes_nothing(world: World) -> None:
    asleep, awake = asyncio.Event(), asyncio.Event()

    async def sleep_once(index: int) -> None:
        if index == 20 and not asleep.is_set():
            asleep.set()
            await awake.wait()

    world.source.before = sleep_once
    task = await world.create()
    clock = NoHeartbeat()
    async with world.worker(clock=clock):
        await asleep.wait()
        clock.leap(120)
        async with world.worker(clock=later()):
            certificate = await assert_all_is_there(world, task)
            awake.set()
            await asyncio.sleep(0.3)
    assert certificate["resumes"] == 1
    assert [(p.page_no, p.attempt) for p in world.storage.pages] == [(1, 1), (2, 1), (3, 2), (4, 2), (5, 2)]


async def test_a_stopping_worker_gives_its_execution_back_at_once(world: World) -> None:
    reached, gate = asyncio.Event(), asyncio.Event()

    async def wait_at_20(index: int) -> None:
        if index == 20:
            reached.set()
            await gate.wait()

    world.source.before = wait_at_20
    task = await world.create()
    stop = asyncio.Event()
    first = asyncio.create_task(world.make_worker(settings=patient(world)).run(stop))
    await reached.wait()
    stop.set()
    await asyncio.sleep(0.1)
    gate.set()
    await first
    assert max(p.page_no for p in world.storage.pages) == 3
    async with world.worker():
        await assert_all_is_there(world, task)
    assert world.source.requested == [0, 10, 20, 30, 40]


async def test_a_page_that_takes_too_long_does_not_hold_up_a_stop(world: World) -> None:
    reached = asyncio.Event()

    async def hang(index: int) -> None:
        if index == 20:
            reached.set()
            await asyncio.Event().wait()

    world.source.before = hang
    task = await world.create()
    quick = world.settings.model_copy(update={"scraper_drain_seconds": 0.2})
    async with world.worker(settings=quick):
        await reached.wait()
    world.source.before = None
    assert world.sessions.held == {}
    async with world.worker(settings=quick):
        await assert_all_is_there(world, task)


async def test_two_workers_share_the_work_and_never_an_execution(world: World) -> None:
    async def take_time(_index: int) -> None:
        await asyncio.sleep(0.01)

    world.source.before = take_time
    one_each = world.settings.model_copy(update={"scraper_concurrency": 2})
    async with world.worker(settings=one_each), world.worker(settings=one_each):
        tasks = [await world.create(task_name=f"task {n}") for n in range(8)]
        for task in tasks:
            await assert_all_is_there(world, task)
    assert len(world.source.requested) == 8 * 5
    assert {p.attempt for p in world.storage.pages} == {1}
