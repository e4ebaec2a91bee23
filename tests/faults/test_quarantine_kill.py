"""kill -9 while a parser freezes, thaws, and while quarantine is replayed: the end is that of a run without any of it.

Processing and storage with their real stores, on files: items, sightings and counts of each page are held against
those of a parser that could read everything from the beginning.
"""

from __future__ import annotations

import asyncio
import os
import random
import sqlite3
import sys
from pathlib import Path
from typing import Any

import pytest

from xget_contracts.events import PAGES, STORED, PageCollected, PageStored
from xget_events import codec
from xget_events.sqlite import SqliteEventLog
from xget_events.topics import load_topics
from xget_kernel.clock import SystemClock
from xget_storage.adapters.stores import Stores
from xget_storage.ports import ItemFilter
from xget_storage.settings import Settings
from xget_testing.node import forked
from xget_testing.parsing import make_raw

pytestmark = pytest.mark.slow

SCRIPT = Path(__file__).with_name("reading.py")
RUNS = ("e1", "e2")
PAGES_OF_A_RUN = 14
COUNTS = ("matched", "context", "new", "updated", "unchanged", "duplicate", "quarantined")
Truth = dict[str, Any]


def pages() -> list[PageCollected]:
    """Two runs: the platform changes after the third page; posts come again on later pages."""
    found = []
    for run in RUNS:
        for n in range(1, PAGES_OF_A_RUN + 1):
            word = f"{run} new-shape" if n > 3 else f"{run} post"
            texts = [f"{word} {n} {i}" for i in range(4)]
            texts += [f"{run} old {n % 5}", f"{word} {max(n - 1, 1)} 0"]
            keys = [f"toy:{text}" for text in texts[:5]]
            found.append(make_raw(n, texts, execution_id=run, task_id=f"t-{run}", match_keys=keys))
    return found


async def publish(home: Path, messages: list[PageCollected]) -> None:
    log = SqliteEventLog(home / "events.db")
    await log.create_topics(load_topics())
    now = SystemClock().now()
    await log.publish([codec.message(PAGES, p.execution_id, p, source="test", now=now) for p in messages])
    await log.close()


def run(home: Path, *command: str, die_at: int = 0) -> bool:
    """Let the workers do a command; whether they were killed at it."""
    env = dict(os.environ) | ({"XGET_TRIAL": f"commit:{die_at}"} if die_at else {})
    log = home / "said.log"
    child = forked([sys.executable, str(SCRIPT), str(home), *command], home, env, log)
    assert child.stdout is not None
    with child.stdout:
        code = child.wait(600)
    assert code in (0, -9), log.read_text("utf-8")[-4000:]
    return code != 0


def die_often(home: Path, *command: str, seed: int) -> int:
    """A command, killed at later and later moments until it gets done; how often it was killed."""
    moments = random.Random(seed)
    killed = at = 0
    while True:
        at += moments.randint(15, 60)
        if not run(home, *command, die_at=at):
            return killed
        killed += 1


async def truth(home: Path) -> Truth:
    """Everything that is stored, and the last word on each page."""
    async with Stores.opened(Settings(home=home, grpc_port=0)) as stores:
        sightings = []
        for execution in RUNS:
            page = await stores.documents.sighted(ItemFilter(execution_id=execution), 10_000)
            sightings += [(execution, shown.item.key, shown.role) for shown in page.items]
    log = SqliteEventLog(home / "events.db")
    last: dict[tuple[str, int], PageStored] = {}
    async with log.consumer("trial", [STORED]) as consumer:
        while records := await consumer.poll(timeout=0.2):
            for record in records:
                stored = codec.decode(record, PageStored)
                key = (stored.execution_id, stored.page_no)
                if key not in last or stored.stored_at >= last[key].stored_at:
                    last[key] = stored
            await consumer.commit(records)
    await log.close()
    counts = {key: {name: getattr(stored, name) for name in COUNTS} for key, stored in sorted(last.items())}
    assert len(sightings) == len(set(sightings)), "a sighting stands twice"
    return {"sightings": sorted(sightings), "counts": counts}


def table(home: Path, query: str) -> list[tuple[Any, ...]]:
    with sqlite3.connect(home / "processing.db") as connection:
        return connection.execute(query).fetchall()


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Truth:
    """What a parser stores that can read everything."""
    home = tmp_path_factory.mktemp("clean")
    asyncio.run(publish(home, pages()))
    assert not run(home, "work", "toy-1", "-")
    return asyncio.run(truth(home))


def test_killed_at_any_commit_the_end_is_that_of_a_clean_run(tmp_path: Path, clean: Truth) -> None:
    asyncio.run(publish(tmp_path, pages()))
    killed = die_often(tmp_path, "work", "toy-1", "new-shape", seed=1)
    assert table(tmp_path, "SELECT state FROM parsers") == [("frozen",)]
    waiting = table(tmp_path, "SELECT execution_id, page_no FROM frozen_pages")
    kept = table(tmp_path, "SELECT execution_id, page_no FROM quarantine WHERE state = 'open'")
    assert waiting
    # a page that was killed between its records and its result was read again, and may wait besides
    assert {(run, n) for run in RUNS for n in range(4, PAGES_OF_A_RUN + 1)} <= {*waiting, *kept}
    killed += die_often(tmp_path, "work", "toy-2", "-", seed=11)
    assert table(tmp_path, "SELECT state FROM parsers") == [("reading",)]
    assert table(tmp_path, "SELECT count(*) FROM frozen_pages") == [(0,)]
    killed += die_often(tmp_path, "replay", "toy-2", seed=21)
    assert table(tmp_path, "SELECT count(*) FROM quarantine WHERE state = 'open'") == [(0,)]
    assert killed >= 3
    found = asyncio.run(truth(tmp_path))
    assert found["counts"] == clean["counts"]
    assert found == clean
