"""What a scraper worker asks of a platform, and what memory it takes: collecting alone, storage only confirms.

The platforms are lists in memory that answer at once (`platforms.py`); the app and the worker are the product's, on
SQLite.

- `windows`: requests for searches between two times on a platform that never stalls, with the fewest that anybody
  could make: one listing after the other from its first page to the one that says "no more". Both find every post.
- `memory`: a worker in a process of its own (`worker.py`) collects one search of 100,000 posts, or `XGET_BENCH_POSTS`,
  20 a page, bodies of 90 KB as X sends them. Its resident memory is read 50 times along the way. The slope is that of a
  straight line through the readings of the last 80 % of the posts.
"""

from __future__ import annotations

from bench.collecting import memory, windows
from bench.table import Row

__all__ = ["measure"]


def measure() -> list[Row]:
    """Requests, then memory."""
    return [*windows.measure(), *memory.measure()]
