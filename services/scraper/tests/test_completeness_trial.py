"""20,000 posts over 90 days on a platform that stalls every 800, lies at random, repeats cursors and hides hours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from xget_scraper.settings import Settings
from xget_testing.collecting import Asked, TimelineSource, World, posts_over

pytestmark = pytest.mark.slow

START = datetime(2026, 1, 1, tzinfo=UTC)
DAYS = timedelta(days=90)
HIDDEN = (START + timedelta(days=40), START + timedelta(days=40, hours=3))


@pytest.fixture
def source() -> Any:
    return TimelineSource(posts_over(START, START + DAYS, 20_000))


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Nobody dies here: a lease that a busy machine does not lose."""
    return settings.model_copy(update={"scraper_lease_seconds": 60.0})


def misbehaving(seed: int, *, hides: bool) -> Any:
    """Stalls after 800 posts of a listing, says "no more" on two pages of a hundred, and may hide three hours."""
    random = Random(seed)

    def fault(asked: Asked) -> str | None:
        if hides and asked.until is not None and HIDDEN[0] < asked.until <= HIDDEN[1]:
            return "empty"
        if hides and asked.oldest and HIDDEN[0] <= asked.oldest < HIDDEN[1]:
            return "stall"
        if asked.offset and random.random() < 0.02:
            return "lie"
        return "stall" if asked.offset >= 780 else None

    return fault


async def test_what_is_stored_is_the_truth_or_the_gaps_say_what_is_missing(
    world: World, source: TimelineSource
) -> None:
    truth = dict(source.posts[""])
    source.fault = misbehaving(1, hides=True)
    window = {"since": START.isoformat(), "until": (START + DAYS).isoformat()}
    task = await world.create(parameters={"query": "AI", **window})
    async with world.worker():
        status = await world.until(task, seconds=900)
        first = await world.certificate(status)
        path = f"/api/v1/task-executions/{status['execution']['id']}/gaps"
        answer = (await world.client.get(path, params={"size": 100})).json()
        gaps = [*answer["items"]]
        for page in range(2, answer["pages"] + 1):
            gaps += (await world.client.get(path, params={"size": 100, "page": page})).json()["items"]
        spans = [tuple(datetime.fromisoformat(gap[end]) for end in ("since", "until")) for gap in gaps]
        stored = set(world.storage.keys(status["execution"]["id"]))
        missing = truth.keys() - stored
        assert missing
        assert stored <= truth.keys()
        assert all(any(low <= truth[key] < high for low, high in spans) for key in missing)
        assert (first["complete"], first["gaps_total"]) == (False, len(gaps))

        source.fault = misbehaving(2, hides=False)
        assert (await world.client.post(f"/api/v1/tasks/{task['id']}/backfill")).status_code == 202
        filled = await world.until(task, seconds=900)
    assert (await world.certificate(filled))["complete"] is True
    assert stored | set(world.storage.keys(filled["execution"]["id"])) == truth.keys()
