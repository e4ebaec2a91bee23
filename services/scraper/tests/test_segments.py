"""Targets, windows, gaps, backfills and continuations, from the task to the certificate."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2 as httpx
import pytest

from xget_scraper.settings import Settings
from xget_testing.collecting import Asked, TimelineSource, World, posts_over

pytestmark = pytest.mark.slow

START = datetime(2026, 1, 1, tzinfo=UTC)
END = START + timedelta(days=10)
WINDOW = {"since": START.isoformat(), "until": END.isoformat()}


@pytest.fixture
def source() -> Any:
    return TimelineSource(posts_over(START, END, 1000))


def truth(source: Any) -> list[str]:
    return sorted(key for key, _ in source.posts[""])


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Nobody dies here: a lease that a busy machine does not lose."""
    return settings.model_copy(update={"scraper_lease_seconds": 60.0})


async def get(world: World, path: str, **query: Any) -> Any:
    answer = await world.client.get(f"/api/v1/task-executions/{path}", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def post(world: World, task: dict[str, Any], verb: str, body: Any = None, **headers: str) -> httpx.Response:
    return await world.client.post(f"/api/v1/tasks/{task['id']}/{verb}", json=body, headers=headers)


async def run(world: World, **parameters: Any) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """A search to its end: the task, its status and its certificate."""
    task = await world.create(parameters={"query": "AI", **WINDOW, **parameters})
    async with world.worker():
        status = await world.until(task)
    return task, status, await world.certificate(status)


async def test_windows_cost_little_when_nothing_stalls(world: World, source: TimelineSource) -> None:
    _, status, certificate = await run(world)
    assert (certificate["complete"], certificate["end_reason"]) == (True, "exhausted")
    fewest = 1000 // 20 + 1  # an empty page tells the end
    assert certificate["requests"] == len(source.asked) <= fewest * 1.1
    assert world.storage.keys(status["execution"]["id"]) == truth(source)


async def test_a_search_that_stalls_goes_on_until_its_window_is_covered(world: World, source: TimelineSource) -> None:
    source.fault = lambda asked: "stall" if asked.offset >= 180 else None
    _, status, certificate = await run(world)
    assert (certificate["complete"], certificate["gaps_total"], certificate["counts"]["matched"]) == (True, 0, 1000)
    assert certificate["windows"] >= 5
    assert len(source.asked) < 65
    assert world.storage.keys(status["execution"]["id"]) == truth(source)


async def test_no_more_is_not_believed(world: World, source: TimelineSource) -> None:
    lies = iter([False, False, True, False, True] + [False] * 200)
    source.fault = lambda asked: "lie" if next(lies) else None
    _, _, certificate = await run(world)
    assert (certificate["complete"], certificate["counts"]["matched"]) == (True, 1000)


async def test_what_is_not_shown_is_a_gap_and_a_backfill_fills_it(world: World, source: TimelineSource) -> None:
    since, until = START + timedelta(days=3), START + timedelta(days=3, minutes=10)
    source.posts[""] += [(f"x:{n}", since + timedelta(seconds=6 * n)) for n in range(99, 0, -1)]
    source.posts[""].sort(key=lambda found: found[1], reverse=True)

    def hide(asked: Asked) -> str | None:
        if asked.until is not None and since < asked.until <= until:
            return "empty"
        return "stall" if asked.oldest and since <= asked.oldest < until else None

    source.fault = hide
    task, status, certificate = await run(world)
    gaps = await get(world, f"{status['execution']['id']}/gaps", size=100)
    stored = set(world.storage.keys(status["execution"]["id"]))
    missing = {key: at for key, at in source.posts[""] if key not in stored}
    spans = [(datetime.fromisoformat(gap["since"]), datetime.fromisoformat(gap["until"])) for gap in gaps["items"]]
    assert missing
    assert all(any(low <= at < high for low, high in spans) for at in missing.values())
    assert all(since - timedelta(minutes=1) <= low and high <= until for low, high in spans)
    assert certificate["complete"] is False
    assert certificate["end_reason"] == "stalled"
    assert certificate["gaps_total"] == gaps["total"] > 0
    assert all(gap["why"] for gap in gaps["items"])

    source.fault = lambda asked: None
    asked = len(source.asked)
    answer = await post(world, task, "backfill", **{"Idempotency-Key": "fill"})
    again = await post(world, task, "backfill", **{"Idempotency-Key": "fill"})
    assert (answer.status_code, again.json()) == (202, answer.json())
    async with world.worker():
        filled = await world.until(task)
    proof = await world.certificate(filled)
    assert (proof["complete"], proof["backfill_of"]) == (True, status["execution"]["id"])
    both = stored | set(world.storage.keys(filled["execution"]["id"]))
    assert both == {key for key, _ in source.posts[""]}
    assert len(source.asked) - asked < 3 * gaps["total"] + 10
    refused = await post(world, task, "backfill")
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:xget:error:nothing_missing")


async def test_a_platform_that_gives_only_cursors_is_left_alone_after_a_while(
    world: World, source: TimelineSource
) -> None:
    source.fault = lambda asked: "empty"
    _, status, certificate = await run(world)
    assert len(source.asked) == 32
    assert certificate["windows"] == 1 + 2 * 32
    gaps = await get(world, f"{status['execution']['id']}/gaps", size=100)
    spans = [(gap["since"], gap["until"]) for gap in gaps["items"]]
    assert spans == [("2026-01-01T00:00:00Z", "2026-01-11T00:00:00Z")]
    assert certificate["complete"] is False


async def test_a_search_without_since_ends_where_nothing_is(world: World, source: TimelineSource) -> None:
    task = await world.create(parameters={"query": "AI"})
    source.fault = lambda asked: "stall" if asked.offset >= 300 else None
    async with world.worker():
        certificate = await world.certificate(await world.until(task))
    assert (certificate["complete"], certificate["counts"]["matched"]) == (True, 1000)
    assert len(source.asked) < 60


async def test_a_stop_leaves_the_rest_to_a_backfill(world: World, source: TimelineSource) -> None:
    task = await world.create(parameters={"query": "AI", **WINDOW})

    async def stop_at_200(asked: Asked) -> None:
        if asked.offset == 200:
            assert (await post(world, task, "stop")).status_code == 202

    source.before = stop_at_200
    async with world.worker():
        status = await world.until(task)
    assert (await get(world, f"{status['execution']['id']}/gaps"))["total"] == 1
    source.before = None
    assert (await post(world, task, "backfill")).status_code == 202
    async with world.worker():
        filled = await world.until(task)
    assert (await world.certificate(filled))["complete"] is True
    stored = {key for found in (status, filled) for key in world.storage.keys(found["execution"]["id"])}
    assert sorted(stored) == truth(source)


async def test_a_run_that_continues_asks_only_for_what_is_new(world: World, source: TimelineSource) -> None:
    task = await world.create(parameters={"query": "AI"})
    async with world.worker():
        await world.until(task)
        newest = source.posts[""][0][1]
        source.posts[""][:0] = [("x:new", newest + timedelta(minutes=5))]
        asked = len(source.asked)
        assert (await post(world, task, "start", {"continue": True})).status_code == 202
        status = await world.until(task)
    assert source.asked[asked].since == newest - timedelta(hours=1)
    assert len(source.asked) - asked <= 3
    assert "x:new" in world.storage.keys(status["execution"]["id"])
    assert status["execution"]["continues"] is True


async def test_a_run_that_continues_goes_back_behind_an_incomplete_one(world: World, source: TimelineSource) -> None:
    task = await world.create(parameters={"query": "AI"})
    async with world.worker():
        await world.until(task)
        first = source.posts[""][0][1]
        source.posts[""] = [(f"x:new{n}", first + timedelta(hours=5 * n)) for n in range(60, 0, -1)] + source.posts[""]
        source.fault = lambda asked: "empty" if asked.offset >= 20 or asked.until else None
        await post(world, task, "start", {"continue": True})
        broken = await world.certificate(await world.until(task, seconds=60))
        assert broken["complete"] is False
        source.fault = lambda asked: None
        asked = len(source.asked)
        await post(world, task, "start", {"continue": True})
        status = await world.until(task)
    assert source.asked[asked].since == first - timedelta(hours=1)
    assert {f"x:new{n}" for n in range(1, 61)} <= set(world.storage.keys(status["execution"]["id"]))


async def test_what_a_platform_chooses_to_show_is_never_called_complete(world: World, source: TimelineSource) -> None:
    source.ends = "ranking_ended"
    task, status, certificate = await run(world, product="Top")
    assert (status["status"], certificate["complete"], certificate["end_reason"]) == (
        "COMPLETED", False, "ranking_ended",
    )  # fmt: skip
    assert len(source.asked) == 1000 // 20 + 1
    assert (await get(world, f"{status['execution']['id']}/gaps"))["total"] == 0
    assert (await post(world, task, "backfill")).status_code == 409
    assert (await post(world, task, "start", {"continue": True})).status_code == 422


async def test_a_choice_that_stalls_is_a_gap_and_not_cut_into_windows(world: World, source: TimelineSource) -> None:
    source.fault = lambda asked: "empty" if asked.offset >= 200 else None
    _, status, certificate = await run(world, product="Top")
    assert (certificate["complete"], certificate["end_reason"]) == (False, "stalled")
    assert {(asked.since, asked.until) for asked in source.asked} == {(source.asked[0].since, source.asked[0].until)}
    assert len(source.asked) == 200 // 20 + 1
    assert (await get(world, f"{status['execution']['id']}/gaps"))["total"] == 1


async def test_what_cannot_be_continued_or_filled_says_so(world: World) -> None:
    task = await world.create(task_type="USER_INFO", parameters={"username": "ada"}, immediate=False)
    refused = await post(world, task, "start", {"continue": True})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "continue")
    early = await post(world, task, "backfill")
    assert early.status_code == 409
