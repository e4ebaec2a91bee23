"""Confirmations of storage: early, twice, late, of a page that was collected again after a crash."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from xget_contracts.events import PageStored
from xget_db.engine import Database
from xget_kernel.caller import LOCAL_ADMIN
from xget_kernel.clock import ManualClock
from xget_scraper.models import Base
from xget_scraper.repository import Store
from xget_scraper.schemas.task import TaskWrite
from xget_scraper.service.checkpoints import Checkpoints, Rules
from xget_scraper.service.drafts import Draft
from xget_scraper.service.jobs import Job
from xget_scraper.service.planning import Planner
from xget_scraper.service.progress import ProgressService
from xget_scraper.service.tasks import TaskService
from xget_sources.ports import RawPage
from xget_testing.collecting import ListSource
from xget_testing.database import assert_tables_match

PAGE = RawPage(
    operation="Search", route="x", request={}, body=b"{}", fetched_at=ManualClock().now(), duration_ms=1, requests=2,
    entry_keys=[], cursor_in="in", cursor_out="out", account_id="a", proxy_id=None,
)  # fmt: skip


class Run:
    """One execution with a limit of 10, claimed."""

    def __init__(self, store: Store, clock: ManualClock) -> None:
        self.store = store
        self.clock = clock
        self.checkpoints = Checkpoints(store, clock, Rules(timedelta(seconds=10), timedelta(hours=24)))
        self.progress = ProgressService(store, clock)
        self.task_id = ""
        self.execution_id = ""

    async def begin(self) -> Job:
        body = TaskWrite(task_name="AI", task_type="USER_INFO")
        async with self.store.transaction() as unit:
            task = await TaskService(unit, self.clock, "xget.tasks").create(
                Draft("ada", ["ada"], "USER_INFO", {"username": "ada", "limit": 10}, 10, body)
            )
        self.task_id, self.execution_id = task.id, str(task.execution_id)
        return await self.claim()

    async def claim(self) -> Job:
        job = await self.checkpoints.claim("worker")
        assert job is not None
        await Planner(self.checkpoints, self.clock, timedelta(hours=1)).plan(job, ListSource([]))
        assert await self.checkpoints.begin(job)
        return job

    async def stored(self, page_no: int, **fields: Any) -> None:
        self.clock.advance(1)
        counts = dict.fromkeys(("matched", "context", "new", "updated", "unchanged", "duplicate"), 0)
        values = counts | {"stored_at": self.clock.now(), "execution_id": self.execution_id} | fields
        await self.progress.record([PageStored(task_id=self.task_id, owner_id="ada", page_no=page_no, **values)])

    async def look(self) -> tuple[Any, Any]:
        async with self.store.read() as unit:
            certificate = await unit.pages.certificate(self.execution_id)
            task = await unit.tasks.get(self.task_id, None)
        return task, certificate.body if certificate else None


@pytest.fixture
async def run(database_url: str) -> AsyncIterator[Run]:
    database = Database(database_url)
    yield Run(Store(database), ManualClock())
    await database.close()


async def test_progress_is_what_storage_has_of_the_limit(run: Run) -> None:
    job = await run.begin()
    await run.checkpoints.record(job, PAGE, "", [], None)
    await run.stored(1, matched=4, attempt=1)
    task, certificate = await run.look()
    assert (task.status, task.progress, task.result_count, certificate) == ("RUNNING", 40, 4, None)


async def test_a_confirmation_may_come_before_the_checkpoint(run: Run) -> None:
    job = await run.begin()
    await run.stored(1, matched=4, attempt=1)
    await run.checkpoints.record(job, PAGE, "", [], "exhausted")
    task, certificate = await run.look()
    assert (task.status, certificate["counts"]["matched"]) == ("COMPLETED", 4)


async def test_an_ended_run_waits_for_the_repeated_page_too(run: Run) -> None:
    await run.begin()
    run.clock.advance(11)
    await run.checkpoints.sweep()
    second = await run.claim()
    await run.checkpoints.record(second, PAGE, "", [], "exhausted")
    await run.stored(1, matched=3, attempt=1)
    task, certificate = await run.look()
    assert (task.status, certificate) == ("RUNNING", None)
    await run.stored(1, matched=5, attempt=2)
    task, certificate = await run.look()
    assert (task.status, task.result_count, certificate["counts"]["matched"]) == ("COMPLETED", 5, 5)
    assert (certificate["pages"], certificate["resumes"], certificate["requests"]) == (1, 1, 2)


async def test_a_correction_after_the_end_rewrites_the_certificate(run: Run) -> None:
    job = await run.begin()
    await run.checkpoints.record(job, PAGE, "", [], "exhausted")
    await run.stored(1, matched=4, quarantined=2, attempt=1)
    await run.stored(1, matched=6, quarantined=0)
    task, certificate = await run.look()
    assert (task.result_count, task.status) == (6, "COMPLETED")
    assert (certificate["counts"]["matched"], certificate["counts"]["quarantined"]) == (6, 0)


async def test_an_older_confirmation_changes_nothing(run: Run) -> None:
    job = await run.begin()
    await run.checkpoints.record(job, PAGE, "", [], None)
    old = run.clock.now()
    await run.stored(1, matched=6, attempt=1)
    await run.stored(1, matched=4, attempt=1, stored_at=old)
    assert (await run.look())[0].result_count == 6


async def test_the_span_of_a_certificate_is_that_of_the_matches(run: Run) -> None:
    job = await run.begin()
    now = run.clock.now()
    for number, (first, last) in enumerate([(5, 9), (1, 4), (2, 3)], 1):
        await run.checkpoints.record(job, PAGE, "", [], "exhausted" if number == 3 else None)
        times = {"first_at": now + timedelta(days=first), "last_at": now + timedelta(days=last)}
        await run.stored(number, attempt=1, first_id=str(first), last_id=str(last), **times)
        job.page_no += 1
    certificate = (await run.look())[1]
    assert (certificate["first_id"], certificate["last_id"]) == ("1", "9")
    assert (certificate["cursor_first"], certificate["cursor_last"]) == ("in", "out")


async def test_confirmations_of_deleted_executions_are_passed_over(run: Run) -> None:
    job = await run.begin()
    await run.checkpoints.end(job, "blocked")
    async with run.store.transaction() as unit:
        await TaskService(unit, run.clock, "xget.tasks").delete(run.task_id, LOCAL_ADMIN)
    await run.stored(1, matched=1)


def test_migrations_make_the_tables_of_the_models(tmp_path: Path) -> None:
    assert_tables_match("xget_scraper", Base.metadata, tmp_path)
