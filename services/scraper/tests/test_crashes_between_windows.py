"""A worker that dies in the middle of targets, windows and backfills loses nothing and doubles nothing."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

import xget_scraper.worker
from xget_scraper.service import planning
from xget_testing.collecting import Asked, LeapClock, TimelineSource, World, crashing_database, posts_over

pytestmark = pytest.mark.slow

START = datetime(2026, 1, 1, tzinfo=UTC)
END = START + timedelta(days=10)
WINDOW = {"since": START.isoformat(), "until": END.isoformat()}


@pytest.fixture
def source() -> Any:
    """Three searches of 120 posts; every other page after the second of a window stalls."""
    worlds = {
        query: [(f"{key}{n}", at) for key, at in posts_over(START, END, 120, seed=n)]
        for n, query in enumerate(("AI", "ML", "LLM"))
    }
    found = TimelineSource({}, page_size=10)
    for query, posts in worlds.items():
        label = next(found.targets("KEYWORD_SEARCH", {"query": query, **WINDOW})).label
        found.posts[label] = sorted(posts, key=lambda post: post[1], reverse=True)
    found.fault = lambda asked: "stall" if asked.offset >= 30 else None
    return found


async def killed(world: World, clock: LeapClock, task: dict[str, Any], transaction: int, *, committed: bool) -> None:
    """A worker that dies in its n-th write, unless the task has ended before; afterwards its lease ends."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(xget_scraper.worker, "Database", crashing_database(transaction, committed=committed))
        async with world.worker(clock=clock) as worker:
            ending = asyncio.create_task(world.until(task, seconds=60))
            await asyncio.wait({worker, ending}, return_when=asyncio.FIRST_COMPLETED)
            ending.cancel()
            await asyncio.gather(ending, return_exceptions=True)
    clock.leap(120)


async def proof(world: World, clock: LeapClock, task: dict[str, Any]) -> dict[str, Any]:
    """The certificate of the task's end, held against what the storage has and what was listed for each target."""
    async with world.worker(clock=clock):
        status = await world.until(task, seconds=60)
    run = status["execution"]["id"]
    certificate = await world.certificate(status)
    pages = {page.page_no for page in world.storage.pages if page.execution_id == run}
    assert pages == set(range(1, certificate["pages"] + 1))
    keys = world.storage.keys(run)
    assert certificate["counts"]["matched"] == len(keys) == status["result_count"]
    targets = (await world.client.get(f"/api/v1/task-executions/{run}/targets")).json()["items"]
    assert sum(target["matched"] for target in targets) == len(keys)
    assert status["execution"]["targets_done"] == len(targets)
    return {**certificate, "keys": keys}


def truth(source: Any) -> list[str]:
    return sorted(key for posts in source.posts.values() for key, _ in posts)


@pytest.mark.parametrize("seed", range(3))
async def test_deaths_between_windows_and_targets(
    world: World, source: TimelineSource, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(planning, "PIECE", 1)
    random = Random(seed)
    clock = LeapClock()
    task = await world.create(parameters={"queries": ["AI", "ML", "LLM"], **WINDOW})
    for _ in range(4):
        await killed(world, clock, task, random.randint(1, 16), committed=random.random() < 0.5)
    certificate = await proof(world, clock, task)
    assert (certificate["complete"], certificate["targets"], certificate["keys"]) == (True, 3, truth(source))


@pytest.mark.parametrize("seed", range(2))
async def test_deaths_in_a_backfill(
    world: World, source: TimelineSource, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(planning, "PIECE", 1)
    random = Random(seed)
    stalls = source.fault
    hidden = START + timedelta(days=4), START + timedelta(days=6)

    def hide(asked: Asked) -> str | None:
        if asked.until is not None and hidden[0] < asked.until <= hidden[1]:
            return "empty"
        return "stall" if asked.oldest and hidden[0] <= asked.oldest < hidden[1] else stalls(asked)

    source.fault = hide
    clock = LeapClock()
    task = await world.create(parameters={"queries": ["AI", "ML", "LLM"], **WINDOW})
    first = await proof(world, clock, task)
    assert first["gaps_total"] > 0
    source.fault = stalls
    assert (await world.client.post(f"/api/v1/tasks/{task['id']}/backfill")).status_code == 202
    for _ in range(3):
        await killed(world, clock, task, random.randint(1, 12), committed=random.random() < 0.5)
    filled = await proof(world, clock, task)
    assert filled["complete"] is True
    assert sorted({*first["keys"], *filled["keys"]}) == truth(source)
