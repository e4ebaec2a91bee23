"""Requests of searches between two times, with the fewest possible."""

from __future__ import annotations

import asyncio
import math
import tempfile
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from bench.collecting.scraper import Scraper, scraper
from bench.table import Row
from xget_scraper.worker import create_worker
from xget_testing.collecting import FakeSessions, TimelineSource, posts_over

START: Final = datetime(2026, 1, 1, tzinfo=UTC)
END: Final = START + timedelta(days=90)
PER_PAGE: Final = 20
SEARCHES: Final = {"one search": (1, 4_000), "10 searches": (10, 400)}
"""Queries of a task, and posts of each."""
TARGET: Final = 10.0


def measure() -> list[Row]:
    """A row for each kind of search."""
    return [asyncio.run(_measured(name, *search)) for name, search in SEARCHES.items()]


async def _measured(name: str, queries: int, posts: int) -> Row:
    words = [f"query{number}" for number in range(queries)]
    asked: dict[str, Any] = {"query": words[0]} if queries == 1 else {"queries": words}
    asked |= {"since": START.isoformat(), "until": END.isoformat()}
    labels = [target.label for target in TimelineSource([]).targets("KEYWORD_SEARCH", asked)]
    truth = {
        label: [(f"{key}{label}", at) for key, at in posts_over(START, END, posts, seed=seed)]
        for seed, label in enumerate(labels)
    }
    source = TimelineSource(truth, page_size=PER_PAGE)
    with tempfile.TemporaryDirectory(prefix="xget-bench-") as home:
        async with scraper(Path(home), keeps_keys=True) as found:
            await _collect(found, source, asked)
            assert found.keys == {key for listed in truth.values() for key, _ in listed}, "posts are missing"
    fewest = queries * (math.ceil(posts / PER_PAGE) + 1)
    more = (len(source.asked) / fewest - 1) * 100
    return Row(
        name=f"requests of {name}, {posts:,} posts each",
        ours=f"{len(source.asked)} requests",
        peer=f"{fewest} (the fewest)",
        value=f"{more:+.1f} %",
        target=f"≤ {TARGET:.0f} %",
        ok=more <= TARGET,
    )


async def _collect(found: Scraper, source: TimelineSource, asked: dict[str, Any]) -> None:
    worker = create_worker(found.settings, log=found.log, sources={"x": source}, sessions=FakeSessions())
    stop = asyncio.Event()
    working = asyncio.create_task(worker.run(stop))
    try:
        status = await found.ended(await found.search(**asked))
        assert status["status"] == "COMPLETED", status
    finally:
        stop.set()
        with suppress(asyncio.CancelledError):
            await working
