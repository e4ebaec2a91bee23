"""A worker's memory does not grow with what it collects, however much that is; its counts stay exact all the same."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from xget_db.engine import Database
from xget_scraper.repository import Store
from xget_scraper.service.tidying import Tidying
from xget_testing.database import query

pytestmark = pytest.mark.slow

SCRIPT = Path(__file__).with_name("collecting_endlessly.py")
LONG = bool(os.environ.get("XGET_SOAK"))
POSTS, TARGETS = (200_000, 10_000) if LONG else (20_000, 200)
PAGE = 200


def collected(url: str, posts: int, targets: int) -> tuple[dict[str, Any], list[int]]:
    """What the script tells: the certificate, and the blocks held."""
    command = [sys.executable, str(SCRIPT), url, str(posts), str(targets)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=4000 if LONG else 240)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    return told["certificate"], told["blocks"]


def assert_flat(blocks: list[int], most: int) -> None:
    """So few blocks more are held at the last look than at the first, when caches are warm."""
    assert len(blocks) >= 4
    assert blocks[-1] - blocks[0] < most, blocks


async def test_memory_does_not_grow_with_posts_and_counts_are_exact(database_url: str) -> None:
    certificate, blocks = collected(database_url, POSTS, 0)
    assert certificate["counts"]["matched"] == POSTS
    assert certificate["windows"] > POSTS / PAGE / 10
    assert_flat(blocks, POSTS // 10)  # of three quarters of the posts
    database = Database(database_url)
    await Tidying(Store(database)).tidy(asyncio.Event())
    await database.close()
    assert query(database_url, "SELECT count(*) FROM matches") == [(0,)]


def test_memory_does_not_grow_with_targets(database_url: str) -> None:
    certificate, blocks = collected(database_url, 0, TARGETS)
    failed = TARGETS // 10
    assert (certificate["counts"]["matched"], certificate["targets"]) == (TARGETS - failed, TARGETS)
    assert (len(certificate["failed_targets"]), certificate["failed_targets_total"]) == (20, failed)
    assert_flat(blocks, TARGETS * 2)  # of 150 in 200 targets; what is kept of one is more than five
