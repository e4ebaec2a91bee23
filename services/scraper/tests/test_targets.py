"""Many targets in one task: each with its own cursor, counts and end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from xget_scraper.service import routes
from xget_scraper.settings import Settings
from xget_sources.ports import NoAccount, SourceStopped
from xget_testing.collecting import Asked, TimelineSource, World, posts_over

pytestmark = pytest.mark.slow

START = datetime(2026, 1, 1, tzinfo=UTC)
NAMES = [f"user{n}" for n in range(12)]


@pytest.fixture
def source() -> Any:
    """Each user has forty posts, and shares one with all the others."""
    shared = ("x:1", START)
    worlds = {
        f"@{name}": [shared, *((f"{key}{n}", at) for key, at in posts_over(START, START + timedelta(days=9), 39))]
        for n, name in enumerate(NAMES)
    }
    return TimelineSource(worlds)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Nobody dies here: a lease that a busy machine does not lose."""
    return settings.model_copy(update={"scraper_lease_seconds": 60.0})


async def create(world: World, **parameters: Any) -> dict[str, Any]:
    return await world.create(task_type="USER_TWEETS", parameters={"usernames": NAMES, **parameters})


async def targets(world: World, status: dict[str, Any], **query: Any) -> Any:
    path = f"/api/v1/task-executions/{status['execution']['id']}/targets"
    return (await world.client.get(path, params={"size": 100, **query})).json()


async def test_each_target_has_its_counts_and_its_end(world: World, source: TimelineSource) -> None:
    source.gone = {"@user3": "not_found", "@user7": "protected"}
    task = await create(world)
    async with world.worker():
        status = await world.until(task)
    listed = await targets(world, status)
    assert [target["label"] for target in listed["items"]] == [f"@{name}" for name in NAMES]
    ends = {target["label"]: target["end_reason"] for target in listed["items"]}
    assert {label for label, end in ends.items() if end == "exhausted"} == {f"@{n}" for n in NAMES} - set(source.gone)
    assert [target["matched"] for target in listed["items"][:4]] == [40, 39, 39, 0]
    gone = await targets(world, status, end_reason="not_found")
    assert [(one["label"], one["detail"]) for one in gone["items"]] == [("@user3", "X does not show @user3.")]
    certificate = await world.certificate(status)
    assert (status["status"], certificate["complete"], certificate["end_reason"]) == ("COMPLETED", False, "partial")
    assert [one["label"] for one in certificate["failed_targets"]] == ["@user3", "@user7"]
    assert certificate["failed_targets_total"] == 2
    assert status["result_count"] == 39 * 10 + 1
    assert (status["execution"]["targets"], status["execution"]["targets_done"]) == (12, 12)


async def test_a_backfill_runs_the_failed_targets_alone(world: World, source: TimelineSource) -> None:
    source.gone = {"@user3": "unavailable"}
    task = await create(world)
    async with world.worker():
        await world.until(task)
        asked = len(source.asked)
        source.gone = {}
        assert (await world.client.post(f"/api/v1/tasks/{task['id']}/backfill")).status_code == 202
        status = await world.until(task)
    assert {one.label for one in source.asked[asked:]} == {"@user3"}
    assert (await world.certificate(status))["complete"] is True


async def test_limits_count_for_the_task_and_for_each_target(world: World) -> None:
    async with world.worker():
        each = await world.until(await create(world, limit_per_target=5))
        both = await world.until(await create(world, limit_per_target=30, limit=50))
    assert (await world.certificate(each))["end_reason"] == "limit_reached"
    assert [one["matched"] for one in (await targets(world, each))["items"]] == [5] * 12
    certificate = await world.certificate(both)
    assert (certificate["counts"]["matched"], certificate["complete"]) == (50, True)
    assert {one["end_reason"] for one in (await targets(world, both))["items"]} == {"limit_reached"}


async def test_targets_that_all_fail_alike_fail_the_task(world: World, source: TimelineSource) -> None:
    source.gone = dict.fromkeys([f"@{name}" for name in NAMES], "source_error")
    task = await create(world)
    async with world.worker():
        status = await world.until(task)
    assert (status["status"], status["execution"]["end_reason"]) == ("FAILED", "source_error")
    assert len(source.asked) == 5
    assert "5 targets in a row" in status["error_message"]


async def test_a_target_that_keeps_failing_is_given_up_and_the_others_go_on(
    world: World, source: TimelineSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "TRIES", 2)

    async def drop(asked: Asked) -> None:
        if asked.label == "@user3":
            raise SourceStopped("source_error", "The connection was dropped.", retryable=True)

    source.before = drop
    task = await create(world)
    async with world.worker():
        status = await world.until(task)
    certificate = await world.certificate(status)
    assert (certificate["end_reason"], status["execution"]["targets_done"]) == ("partial", 12)
    assert [one["detail"] for one in certificate["failed_targets"]] == [
        "The connection was dropped. It was tried 2 times."
    ]


async def test_progress_shows_targets_done_of_all(world: World, source: TimelineSource) -> None:
    async def wait_for_room(asked: Asked) -> None:
        if asked.label == "@user6":
            raise NoAccount("No room.", datetime.now(UTC) + timedelta(hours=1))

    source.before = wait_for_room
    task = await create(world)
    async with world.worker():
        found = await world.once(task, lambda status: status["execution"]["resume_at"] is not None)
    assert (found["execution"]["targets_done"], found["execution"]["targets"], found["progress"]) == (6, 12, 50)
    await world.client.post(f"/api/v1/tasks/{task['id']}/stop")
    news = await world.client.get(f"/api/v1/tasks/{task['id']}/events")
    assert '"targets":12,"targets_done":6' in news.text


async def test_ten_thousand_targets_are_inserted_in_pieces(world: World, source: TimelineSource) -> None:
    names = [f"u{n}" for n in range(10_000)]
    source.posts = {"": []}

    async def wait_at_the_third(asked: Asked) -> None:
        if asked.label == "@u2":
            raise NoAccount("No room.", datetime.now(UTC) + timedelta(hours=1))

    source.before = wait_at_the_third
    task = await create(world, usernames=names)
    async with world.worker():
        status = await world.once(task, lambda found: found["execution"]["resume_at"] is not None, 60)
    assert (status["execution"]["targets"], status["execution"]["targets_done"]) == (10_000, 2)
    last = (await targets(world, status, size=1, page=10_000))["items"][0]
    assert (last["n"], last["label"], last["end_reason"]) == (10_000, "@u9999", None)
