"""Many workers ask for work at once: each execution goes to one of them, on each database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from xget_db.engine import Database
from xget_kernel.caller import LOCAL_ADMIN
from xget_kernel.clock import ManualClock
from xget_kernel.errors import Unavailable
from xget_scraper.errors import TaskNotRunning
from xget_scraper.repository import Store
from xget_scraper.schemas.task import TaskWrite
from xget_scraper.service.checkpoints import Checkpoints, Rules
from xget_scraper.service.drafts import Draft
from xget_scraper.service.jobs import Job, LeaseLostError
from xget_scraper.service.tasks import TaskService

WORKERS, TASKS = 8, 24
RULES = Rules(timedelta(seconds=10), timedelta(hours=24))


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    database = Database(database_url)
    yield Store(database)
    await database.close()


async def make(store: Store, clock: ManualClock, count: int = TASKS) -> list[str]:
    body = TaskWrite(task_name="AI", task_type="KEYWORD_SEARCH")
    made = []
    for _ in range(count):
        async with store.transaction() as unit:
            draft = Draft("ada", ["ada"], "KEYWORD_SEARCH", {"query": "AI"}, None, body)
            made.append((await TaskService(unit, clock, "xget.tasks").create(draft)).id)
    return made


async def take_all(checkpoints: Checkpoints, worker: str) -> list[Job]:
    jobs = []
    while (job := await checkpoints.claim(worker)) is not None:
        jobs.append(job)
    return jobs


async def test_eight_who_claim_at_once_never_get_the_same(store: Store) -> None:
    clock = ManualClock()
    await make(store, clock)
    checkpoints = Checkpoints(store, clock, RULES)
    taken = await asyncio.gather(*(take_all(checkpoints, f"worker-{number}") for number in range(WORKERS)))
    ids = [job.execution_id for jobs in taken for job in jobs]
    assert len(ids) == len(set(ids)) == TASKS


async def test_beats_sweeps_and_stops_at_once_wait_for_nobody_for_ever(store: Store) -> None:
    clock = ManualClock()
    tasks = await make(store, clock, 8)
    checkpoints = Checkpoints(store, clock, RULES)
    jobs = await take_all(checkpoints, "worker")
    clock.advance(11)

    async def stop(task_id: str) -> None:
        async with store.transaction() as unit:
            await TaskService(unit, clock, "xget.tasks").stop(task_id, LOCAL_ADMIN)

    work = [checkpoints.sweep(), checkpoints.beat("worker", [job.execution_id for job in jobs])]
    outcomes = await asyncio.gather(
        *work, *(stop(task_id) for task_id in tasks), *(checkpoints.hand_over(job) for job in jobs),
        return_exceptions=True,
    )  # fmt: skip
    failures = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    assert all(isinstance(failure, LeaseLostError | TaskNotRunning) for failure in failures), failures
    assert not [failure for failure in failures if isinstance(failure, Unavailable)]
