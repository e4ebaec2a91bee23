"""The life of tasks and executions under any order of events, on real rows, held against a small model."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from xget_contracts.events import PageStored
from xget_kernel.caller import LOCAL_ADMIN
from xget_kernel.clock import ManualClock
from xget_scraper.errors import TaskAlreadyRunning, TaskBusy, TaskNotRunning
from xget_scraper.models import ENDINGS, Base
from xget_scraper.models.states import MOVES, IllegalMoveError, Move, Phase, advance
from xget_scraper.repository import Store
from xget_scraper.schemas.task import TaskWrite
from xget_scraper.service.checkpoints import Checkpoints, Rules
from xget_scraper.service.drafts import Draft
from xget_scraper.service.jobs import Job, LeaseLostError
from xget_scraper.service.planning import Planner
from xget_scraper.service.progress import ProgressService
from xget_scraper.service.tasks import TaskService
from xget_sources.ports import RawPage
from xget_testing.collecting import ListSource
from xget_testing.database import created

T = TypeVar("T")
DRAFT = Draft(
    owner="ada",
    pool_owners=["ada"],
    task_type="KEYWORD_SEARCH",
    parameters={"query": "AI"},
    limit=None,
    body=TaskWrite(task_name="AI", task_type="KEYWORD_SEARCH", immediate=False),
)
LEASE = timedelta(seconds=10)


def page_of(number: int) -> RawPage:
    return RawPage(
        operation="Search", route="x", request={}, body=b"{}", fetched_at=datetime.now(UTC), duration_ms=1, requests=1,
        entry_keys=[f"x:{number}"], cursor_in=None, cursor_out=str(number), account_id="a", proxy_id=None,
    )  # fmt: skip


class Life(RuleBasedStateMachine):
    """One task; `phase` is what the model says of its latest execution."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        self.clock = ManualClock()
        folder = self.stack.enter_context(tempfile.TemporaryDirectory())
        database = self.do(self.stack.enter_async_context(created(Base.metadata, Path(folder) / "scraper.db")))
        self.store = Store(database)
        self.checkpoints = Checkpoints(self.store, self.clock, Rules(lease=LEASE, max_wait=timedelta(hours=24)))
        self.planner = Planner(self.checkpoints, self.clock, timedelta(hours=1))
        self.progress = ProgressService(self.store, self.clock)
        self.phase: Phase | None = None
        self.reason: str | None = None
        self.stopping = False
        self.job: Job | None = None
        self.stale: list[Job] = []
        self.published: dict[int, int] = {}
        self.stored: dict[int, int] = {}
        self.task_id = self.do(self.with_tasks("create", DRAFT)).id

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    async def with_tasks(self, name: str, *arguments: Any) -> Any:
        async with self.store.transaction() as unit:
            return await getattr(TaskService(unit, self.clock, "xget.tasks"), name)(*arguments)

    def settle(self) -> None:
        if self.phase is Phase.DRAINING and all(self.stored.get(n, 0) >= a for n, a in self.published.items()):
            self.phase = Phase.ENDED

    def finish(self, reason: str) -> None:
        self.phase, self.reason, self.job = Phase.DRAINING, reason, None
        self.settle()

    def requeue(self) -> None:
        self.job = None
        if self.stopping:
            self.phase = Phase.COLLECTING
            self.finish("cancelled")
        else:
            self.phase = Phase.QUEUED

    @rule()
    def start(self) -> None:
        if self.phase in (None, Phase.ENDED):
            self.do(self.with_tasks("start", self.task_id, LOCAL_ADMIN))
            self.phase, self.reason, self.stopping = Phase.QUEUED, None, False
            self.published, self.stored, self.stale = {}, {}, []
        else:
            with pytest.raises(TaskAlreadyRunning):
                self.do(self.with_tasks("start", self.task_id, LOCAL_ADMIN))
            with pytest.raises(TaskBusy):
                self.do(self.with_tasks("delete", self.task_id, LOCAL_ADMIN))

    @rule()
    def stop(self) -> None:
        if self.phase in (None, Phase.ENDED):
            with pytest.raises(TaskNotRunning):
                self.do(self.with_tasks("stop", self.task_id, LOCAL_ADMIN))
            return
        self.do(self.with_tasks("stop", self.task_id, LOCAL_ADMIN))
        self.stopping = True
        if self.phase is Phase.QUEUED:
            self.finish("cancelled")

    @rule()
    def claim(self) -> None:
        job = self.do(self.checkpoints.claim("worker"))
        assert (job is not None) == (self.phase is Phase.QUEUED)
        if job is not None:
            self.phase, self.job = Phase.COLLECTING, job
            self.do(self.planner.plan(job, ListSource([])))
            assert self.do(self.checkpoints.begin(job))

    @precondition(lambda self: self.job is not None)
    @rule(last=st.booleans())
    def collect(self, last: bool) -> None:
        job = self.job
        assert job is not None
        page = page_of(job.page_no + 1)
        picked = job.pick(page, self.do(self.checkpoints.known(job, page)))
        self.published[job.page_no + 1] = job.fence
        ended = self.do(self.checkpoints.record(job, page, "0" * 64, picked, "exhausted" if last else None))
        job.move_past(page, picked)
        assert ended == (last or self.stopping)
        if ended:
            self.finish("exhausted" if last else "cancelled")

    @precondition(lambda self: self.job is not None)
    @rule(how=st.sampled_from(["hand_over", "wait", "sit_out", "end"]))
    def leave(self, how: str) -> None:
        job = self.job
        assert job is not None
        self.stale.append(job)
        if how == "hand_over":
            self.do(self.checkpoints.hand_over(job))
        elif how == "wait":
            self.do(self.checkpoints.wait(job, "Later.", self.clock.now()))
        elif how == "sit_out":
            self.do(self.checkpoints.sit_out(job, "Away."))
        else:
            self.do(self.checkpoints.end(job, "blocked"))
            self.finish("blocked")
            return
        self.requeue()
        self.clock.advance(6)

    @precondition(lambda self: self.job is not None)
    @rule()
    def fall_silent(self) -> None:
        assert self.job is not None
        self.stale.append(self.job)
        self.clock.advance(11)
        assert self.do(self.checkpoints.sweep()) == 1
        self.requeue()

    @precondition(lambda self: self.stale)
    @rule(which=st.integers(0, 20))
    def come_back_too_late(self, which: int) -> None:
        job = self.stale[which % len(self.stale)]
        with pytest.raises(LeaseLostError):
            self.do(self.checkpoints.record(job, page_of(99), "0" * 64, [], "exhausted"))
        with pytest.raises(LeaseLostError):
            self.do(self.checkpoints.end(job, "exhausted"))

    @precondition(lambda self: self.published)
    @rule(which=st.integers(0, 20), times=st.integers(1, 2))
    def store_page(self, which: int, times: int) -> None:
        number = sorted(self.published)[which % len(self.published)]
        attempt = self.published[number]
        stored = PageStored(
            execution_id=self.do(self.with_tasks("get", self.task_id, LOCAL_ADMIN)).execution_id,
            task_id=self.task_id, owner_id="ada", page_no=number, stored_at=self.clock.now(), attempt=attempt,
            matched=1, context=2, new=3, updated=0, unchanged=0, duplicate=0,
        )  # fmt: skip
        self.do(self.progress.record([stored] * times))
        self.stored[number] = attempt
        self.settle()

    @invariant()
    def rows_say_what_the_model_says(self) -> None:
        task, execution = self.do(self.with_tasks("status", self.task_id, LOCAL_ADMIN))
        if self.phase is None:
            assert (task.status, execution) == ("PENDING", None)
            return
        assert execution.phase == self.phase
        assert task.active == (self.phase is not Phase.ENDED)
        assert task.status == execution.status
        assert task.result_count == execution.matched == len(self.stored)
        assert execution.context == 2 * len(self.stored)
        assert (execution.lease_owner is not None) == (self.phase is Phase.COLLECTING)
        if self.phase is Phase.ENDED:
            assert (execution.end_reason, task.status) == (self.reason, ENDINGS[str(self.reason)].status)
        self.do(self.certificate_is_there(execution.id))

    async def certificate_is_there(self, execution_id: str) -> None:
        async with self.store.read() as unit:
            certificate = await unit.pages.certificate(execution_id)
        assert (certificate is not None) == (self.phase is Phase.ENDED)
        if certificate is not None:
            assert certificate.body["counts"]["matched"] == len(self.stored)

    def teardown(self) -> None:
        self.do(self.stack.aclose())
        self.runner.close()


TestLife = pytest.mark.slow(Life.TestCase)
TestLife.settings = settings(
    max_examples=25, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)


@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize("move", Move)
def test_moves_that_the_table_lacks_are_refused(phase: Phase, move: Move) -> None:
    if (phase, move) in MOVES:
        assert advance(phase, move) is MOVES[phase, move]
    else:
        with pytest.raises(IllegalMoveError):
            advance(phase, move)
