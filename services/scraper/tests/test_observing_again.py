"""Posts that a task found are seen again at the ages of its curve: each once, late rather than never, until they go."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

import xget_scraper.service.gathering
import xget_scraper.worker
from xget_scraper.settings import Settings
from xget_testing.collecting import LeapClock, ObservedSource, World, crashing_database

HOUR = 3600
KEYS = [f"x:{number}" for number in range(1, 6)]


@pytest.fixture
def clock() -> LeapClock:
    return LeapClock()


@pytest.fixture
def source(clock: LeapClock) -> ObservedSource:
    """Five posts that were written half an hour ago."""
    return ObservedSource(dict.fromkeys(KEYS, clock.now() - timedelta(minutes=30)))


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"scraper_observe_seconds": 0.05, "scraper_lease_seconds": 30.0})


@pytest.fixture
async def observed(world: World, clock: LeapClock) -> AsyncIterator[World]:
    """The world with a worker on the clock that leaps."""
    async with world.worker(clock=clock):
        yield world


async def collected(world: World, *curve: str) -> dict[str, Any]:
    task = await world.create(reobserve=list(curve))
    assert (await world.until(task))["status"] == "COMPLETED"
    return task


async def watch(world: World, task: dict[str, Any], **expected: Any) -> dict[str, Any]:
    """The observations of a task, as soon as they are so."""
    found: dict[str, Any] = {}
    async with asyncio.timeout(60):
        while not found or any(found[name] != value for name, value in expected.items()):
            found = (await world.client.get(f"/api/v1/tasks/{task['id']}/observations")).json()
            await asyncio.sleep(0.1)
    return found


async def looks_of(world: World, task: dict[str, Any]) -> list[dict[str, Any]]:
    """Ended executions that looked again, oldest first."""
    async with asyncio.timeout(60):
        while True:
            runs = (await world.client.get(f"/api/v1/task-executions/task/{task['id']}")).json()["items"]
            if all(run["completed_at"] for run in runs):
                return [run for run in reversed(runs) if run["kind"] == "reobservation"]
            await asyncio.sleep(0.1)


async def test_each_post_is_seen_once_at_each_age(observed: World, source: ObservedSource, clock: LeapClock) -> None:
    task = await collected(observed, "1h", "6h")
    found = await watch(observed, task, posts=5, looking=0, seen=0)
    assert found["reobserve"] == ["1h", "6h"]
    assert source.looks == []
    clock.leap(HOUR)
    found = await watch(observed, task, posts=5, looking=0, seen=5)
    assert sorted(source.looks) == sorted(KEYS)
    clock.leap(6 * HOUR)
    assert (await watch(observed, task, posts=0, seen=10))["next_due_at"] is None
    runs = await looks_of(observed, task)
    assert [(run["status"], run["complete"], run["targets"], run["counts"]["matched"]) for run in runs] == [
        ("COMPLETED", True, 5, 5)
    ] * 2
    assert [observed.storage.keys(run["id"]) for run in runs] == [sorted(KEYS)] * 2
    status = await observed.until(task)
    assert (status["status"], status["result_count"], status["execution"]["kind"]) == ("COMPLETED", 5, "collection")


async def test_a_look_that_comes_late_serves_the_ages_that_have_passed(
    observed: World, source: ObservedSource, clock: LeapClock
) -> None:
    task = await collected(observed, "1h", "2h", "3h", "1d")
    clock.leap(5 * HOUR)
    found = await watch(observed, task, posts=5, looking=0, seen=5)
    assert sorted(source.looks) == sorted(KEYS)
    assert found["next_due_at"][:19] == (source.born["x:1"] + timedelta(days=1)).isoformat()[:19]


async def test_what_is_gone_is_not_looked_at_again(observed: World, source: ObservedSource, clock: LeapClock) -> None:
    task = await collected(observed, "1h", "6h")
    source.gone = {"x:1": "not_found", "x:2": "unavailable"}
    clock.leap(HOUR)
    await watch(observed, task, posts=4, hidden=1, gone=1, not_shown=1, seen=3)
    (run,) = await looks_of(observed, task)
    assert (run["status"], run["end_reason"], run["complete"]) == ("COMPLETED", "exhausted", True)
    assert observed.storage.keys(run["id"]) == sorted(KEYS), "what stands in a post's place is stored too"
    del source.gone["x:2"]
    clock.leap(6 * HOUR)
    await watch(observed, task, posts=0, gone=1, seen=7)
    assert (source.looks.count("x:1"), source.looks.count("x:2")) == (1, 2)


async def test_a_post_is_followed_to_its_newer_version(
    observed: World, source: ObservedSource, clock: LeapClock
) -> None:
    task = await collected(observed, "1h", "6h")
    source.newer = {"x:3": "x:30", "x:4": "x:5"}
    clock.leap(HOUR)
    await watch(observed, task, posts=4, looking=0, seen=5)
    clock.leap(6 * HOUR)
    await watch(observed, task, posts=0, seen=9)
    assert sorted(source.looks[5:]) == sorted([*(set(KEYS) - {"x:3", "x:4"}), "x:30"])


async def test_a_look_that_fails_is_made_again_later(observed: World, source: ObservedSource, clock: LeapClock) -> None:
    task = await collected(observed, "1h")
    source.failing = {"x:2"}
    clock.leap(HOUR)
    found = await watch(observed, task, posts=1, looking=0, failed=1, seen=4)
    assert found["next_due_at"] > clock.now().isoformat()[:19]
    source.failing = set()
    clock.leap(HOUR)
    await watch(observed, task, posts=0, failed=1, seen=5)


async def test_a_task_whose_looks_take_long_keeps_no_other_waiting(
    observed: World, source: ObservedSource, clock: LeapClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xget_scraper.service.gathering, "TASKS", 1)
    monkeypatch.setattr(xget_scraper.service.gathering, "BATCH", 1)
    tasks = [await collected(observed, "1h") for _ in range(2)]
    go_on = asyncio.Event()

    async def hold(look: int) -> None:
        if look == 1:
            await go_on.wait()

    source.before = hold
    clock.leap(HOUR)
    await asyncio.wait(
        [asyncio.create_task(watch(observed, task, posts=0, seen=5)) for task in tasks],
        return_when=asyncio.FIRST_COMPLETED,
    )
    assert len(source.looks) == 6
    go_on.set()
    await asyncio.gather(*(watch(observed, task, posts=0, seen=5) for task in tasks))


async def test_a_changed_curve_counts_at_once(observed: World, source: ObservedSource, clock: LeapClock) -> None:
    task = await collected(observed, "7d", "30d")
    path, wish = f"/api/v1/tasks/{task['id']}", {"task_name": "AI", "task_type": "KEYWORD_SEARCH"}
    wish |= {"parameters": {"query": "AI"}}
    changed = await observed.client.put(path, json={**wish, "reobserve": ["15m", "1h", "1d"]})
    assert changed.json()["reobserve"] == ["15m", "1h", "1d"], changed.text
    clock.leap(HOUR)
    await watch(observed, task, posts=5, looking=0, seen=5)
    cleared = await observed.client.put(path, json=wish)
    assert cleared.json()["reobserve"] is None
    clock.leap(48 * HOUR)
    await watch(observed, task, posts=0, seen=5)
    assert len(source.looks) == 5


async def test_a_task_that_is_stopped_observes_no_more(
    observed: World, source: ObservedSource, clock: LeapClock
) -> None:
    task = await collected(observed, "1h", "6h")
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def hold(_: int) -> None:
        begun.set()
        await go_on.wait()

    source.before = hold
    clock.leap(HOUR)
    await begun.wait()
    stopped = await observed.client.post(f"/api/v1/tasks/{task['id']}/stop")
    assert (stopped.status_code, stopped.json()["status"]) == (202, "COMPLETED"), stopped.text
    go_on.set()
    (run,) = await looks_of(observed, task)
    assert (run["status"], run["end_reason"]) == ("STOPPED", "cancelled")
    await watch(observed, task, posts=0)
    assert len(source.looks) == 1
    again = await observed.client.post(f"/api/v1/tasks/{task['id']}/stop")
    assert (again.status_code, again.json()["type"]) == (409, "urn:xget:error:task_not_running")
    assert (await observed.client.delete(f"/api/v1/tasks/{task['id']}")).status_code == 204


async def test_a_post_that_is_collected_again_is_not_looked_at_for_the_ages_that_have_passed(
    world: World, source: ObservedSource, clock: LeapClock
) -> None:
    async with world.worker(clock=clock):
        task = await collected(world, "1h", "6h")
    clock.leap(HOUR)
    await world.client.post(f"/api/v1/tasks/{task['id']}/start")
    late = world.settings.model_copy(update={"scraper_observe_seconds": 3600.0})
    source.before = lambda _: asyncio.sleep(0)
    async with world.worker(clock=clock, settings=late):
        await world.until(task)
    found = await watch(world, task, posts=5)
    assert found["next_due_at"][:19] == (source.born["x:1"] + timedelta(hours=6)).isoformat()[:19]


@pytest.mark.slow
@pytest.mark.parametrize("committed", [False, True], ids=["before-commit", "after-commit"])
@pytest.mark.parametrize("transaction", [1, 3, 6])
async def test_a_worker_that_dies_while_it_observes_loses_and_doubles_no_look(  # noqa: PLR0917 - fixtures
    world: World,
    source: ObservedSource,
    clock: LeapClock,
    monkeypatch: pytest.MonkeyPatch,
    transaction: int,
    committed: bool,
) -> None:
    async with world.worker(clock=clock):
        task = await collected(world, "1h", "6h")
    source.gone = {"x:5": "not_found"}
    clock.leap(HOUR)
    with monkeypatch.context() as patch:
        patch.setattr(xget_scraper.worker, "Database", crashing_database(transaction, committed=committed))
        async with world.worker(clock=clock) as worker:
            await asyncio.wait({worker}, timeout=60)
            assert worker.done()
    clock.leap(60)  # the lease of the dead
    async with world.worker(clock=clock):
        await watch(world, task, posts=4, looking=0, seen=4, gone=1)
        runs = await looks_of(world, task)
    seen = [(run["id"], key) for run in runs for key in world.storage.keys(run["id"])]
    assert sorted(key for _, key in seen) == sorted(KEYS), "each post has one look"


WRONG: list[tuple[Any, str]] = [
    ([], "length"),
    (["1h"] * 21, "length"),
    ("1h", "list_type"),
    (["1h", "1h"], "growing"),
    (["6h", "1h"], "growing"),
    (["4m"], "age_range"),
    (["366d"], "age_range"),
    (["1 hour"], "age"),
    (["P"], "age"),
    (["-1h"], "age"),
    ([60], "age"),
    ([None], "age"),
]


async def test_a_curve_that_cannot_be_is_refused_by_name_and_rule(world: World) -> None:
    body = {"task_type": "KEYWORD_SEARCH", "parameters": {"query": "AI"}}
    for curve, rule in WRONG:
        for path, more in (("", {"task_name": "AI"}), ("/preview", {})):
            answer = await world.client.post(f"/api/v1/tasks{path}", json={**body, **more, "reobserve": curve})
            assert answer.status_code == 422, (curve, answer.text)
            assert [(e["field"], e["rule"]) for e in answer.json()["errors"]] == [("reobserve", rule)], curve


async def test_a_preview_counts_the_looks(world: World) -> None:
    body = {"task_type": "KEYWORD_SEARCH", "reobserve": ["1h", "1d"]}
    for parameters, again in (({"query": "AI", "limit": 50}, 100), ({"query": "AI"}, None)):
        answer = await world.client.post("/api/v1/tasks/preview", json={**body, "parameters": parameters})
        told = answer.json()["estimate"]
        assert told["again"] == again, told
        assert "see the posts again" in told["sentence"]


async def test_curves_are_told_in_one_way(world: World) -> None:
    task = await world.create(reobserve=["60m", "P1D", "PT36H", "1w", "P4W"], immediate=False)
    assert task["reobserve"] == ["1h", "1d", "36h", "7d", "28d"]


async def test_only_posts_are_seen_again(world: World) -> None:
    body = {"task_type": "USER_INFO", "parameters": {"username": "ada"}, "reobserve": ["1h"]}
    for path in ("", "/preview"):
        sent = body if path else {"task_name": "Ada", **body}
        answer = await world.client.post(f"/api/v1/tasks{path}", json=sent)
        assert [(e["field"], e["rule"]) for e in answer.json()["errors"]] == [("reobserve", "posts")], answer.text
