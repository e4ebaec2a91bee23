"""Windows that meet and are missing for the same reason are one gap, in lists, certificates and backfills."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random

import pytest

from xget_db.engine import Database
from xget_kernel.clock import ManualClock
from xget_kernel.pages import PageQuery
from xget_scraper.models import ExecutionTarget, Segment
from xget_scraper.repository import UNFINISHED, Store
from xget_scraper.schemas.task import TaskWrite
from xget_scraper.service.drafts import Draft
from xget_scraper.service.tasks import TaskService
from xget_scraper.service.windows import Window, joined

START = datetime(2026, 1, 1, tzinfo=UTC)
ALL = PageQuery(page=1, size=100)


def at(minutes: float | None) -> datetime | None:
    return None if minutes is None else START + timedelta(minutes=minutes)


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    database = Database(database_url)
    yield Store(database)
    await database.close()


async def missing(store: Store, *rows: dict[str, object]) -> list[tuple[str, datetime | None, datetime | None]]:
    """The gaps of an execution with these segments: label, from, to."""
    body = TaskWrite(task_name="AI", task_type="KEYWORD_SEARCH")
    async with store.transaction() as unit:
        draft = Draft("ada", ["ada"], "KEYWORD_SEARCH", {"query": "AI"}, None, body)
        task = await TaskService(unit, ManualClock(), "xget.tasks").create(draft)
    execution = str(task.execution_id)
    usual = {"target": 1, "windowed": True, "state": "gap", "end_reason": "stalled", "end_detail": "Nothing."}
    async with store.transaction() as unit:
        for n in (1, 2):
            unit.segments.add(ExecutionTarget(execution_id=execution, n=n, label=f"t{n}", parameters={}))
        await unit.flush()
        for n, row in enumerate(rows, 1):
            unit.segments.add(Segment(execution_id=execution, n=n, **(usual | row)))
    async with store.read() as unit:
        found = await unit.gaps.list(execution, UNFINISHED, ALL)
        one_by_one = [
            await unit.gaps.list(execution, UNFINISHED, PageQuery(page=n, size=1)) for n in range(1, len(found) + 2)
        ]
        assert await unit.gaps.count(execution, UNFINISHED) == len(found)
    assert [gap for page in one_by_one for gap in page] == list(found)
    return [(gap.label, gap.since, gap.until) for gap in found]


async def test_windows_that_meet_are_one_gap(store: Store) -> None:
    windows = [(3, 4), (1, 2), (2, 3), (7, 8), (0, 1)]
    found = await missing(store, *({"since": at(low), "until": at(high)} for low, high in windows))
    assert found == [("t1", at(7), at(8)), ("t1", at(0), at(4))]


async def test_windows_that_overlap_or_lie_in_one_another_are_one_gap(store: Store) -> None:
    windows = [(0, 10), (2, 3), (4, 5), (9.5, 12), (20, None), (None, -5)]
    found = await missing(store, *({"since": at(low), "until": at(high)} for low, high in windows))
    assert found == [("t1", at(20), None), ("t1", at(0), at(12)), ("t1", None, at(-5))]


async def test_another_target_or_reason_or_no_window_is_a_gap_of_its_own(store: Store) -> None:
    found = await missing(
        store,
        {"since": at(0), "until": at(1)},
        {"since": at(1), "until": at(2), "target": 2},
        {"since": at(1), "until": at(2), "end_detail": "Crowded."},
        {"since": at(2), "until": at(3), "state": "done"},
        {"since": at(3), "until": at(9), "state": "open", "end_reason": None, "end_detail": None, "oldest_at": at(4)},
        {"windowed": False, "target": 2},
    )
    t1 = [("t1", at(3), at(4)), ("t1", at(1), at(2)), ("t1", at(0), at(1))]
    assert found == [*t1, ("t2", None, None), ("t2", at(1), at(2))]


@pytest.mark.parametrize("seed", range(20))
def test_joined_windows_are_as_few_as_cover_the_same(seed: int) -> None:
    random = Random(seed)
    lows = [random.randrange(60) for _ in range(random.randint(1, 20))]
    spans = [(low, low + random.randint(1, 6)) for low in lows]
    found = joined(Window(at(low), at(high)) for low, high in spans)
    covered = {minute for low, high in spans for minute in range(low, high)}
    seen = [minute for minute in range(70) if any(w.since <= at(minute) < w.until for w in found)]  # type: ignore[operator] # no end is open here
    assert seen == sorted(covered)
    assert all(newer.since > older.until for newer, older in pairwise(found))  # type: ignore[operator] # as above


def test_open_ends_are_joined_too() -> None:
    assert joined([Window(None, at(5)), Window(at(3), None), Window(at(4), at(9))]) == [Window(None, None)]
    assert joined([Window(at(3), None), Window(None, at(2))]) == [Window(at(3), None), Window(None, at(2))]
