"""Search in Elasticsearch beside the bare engine: the same documents, the same queries, the same server, in turns.

Indexing: items in the batches of a consumer, from stored items to an acknowledged bulk, beside one bulk of the very
same lines that were made before its clock starts, batch by batch in turns; the best of some rounds in fresh indexes.
Searching: each query through our adapter (parse it, ask, read keys, total and counts) and the same body through the
bare client, one after the other, p95 over all. Items are the sandbox's posts; 20,000 or `XGET_BENCH_ITEMS` of them.
Elasticsearch is the one of `XGET_ENGINES`, or one started for this measure.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack, ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from elasticsearch import AsyncElasticsearch

from bench.table import Row, report
from xget_sandbox.world import build_world
from xget_storage.adapters.elastic_search import ElasticSearch
from xget_storage.adapters.elastic_search.documents import item_lines
from xget_storage.adapters.elastic_search.layout import Names
from xget_storage.adapters.elastic_search.querying import request
from xget_storage.models import StoredItem
from xget_storage.ports import ItemFilter, SearchQuery
from xget_storage.service.analysis import Analyzer
from xget_storage.service.queries import parse_query
from xget_telemetry.logs import configure
from xget_testing.elastic import fresh_prefix
from xget_testing.engines import OwnEngines

INDEX_TARGET = 0.7
SEARCH_TARGET = 1.3
ITEMS = 20_000
ROUNDS = 4
BATCH = 64 * 20
"""Items in the messages that storage's consumer takes at once: 64 pages of 20."""
WARM, TURNS = 3, 25
TEXTS = ("climate", "量子", "量", '"climate model"', "climate -report", "AI OR 量子通信", "机器学习 论文", None)
SEED = 7


def measure() -> list[Row]:
    """Indexing, what preparing costs, and searching."""
    configure("bench", json=False, level="error")
    items = _items(int(os.environ.get("XGET_BENCH_ITEMS", ITEMS)))
    with ExitStack() as stack:
        return asyncio.run(_measure(_url(stack), items))


def _url(stack: ExitStack) -> str:
    file = os.environ.get("XGET_ENGINES")
    if file:
        return str(json.loads(Path(file).read_text("utf-8"))["elasticsearch"])
    return stack.enter_context(OwnEngines("bench")).start("elasticsearch")["elasticsearch"]


def _items(count: int) -> list[StoredItem]:
    return [
        StoredItem(
            key=f"x:{post.id}",
            platform="x",
            native_id=str(post.id),
            text=post.text,
            lang=post.lang,
            author_username=f"user{post.author_id % 5000}",
            created_at=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(milliseconds=post.created_ms % 20_000_000_000),
            first_seen=datetime(2026, 7, 1, tzinfo=UTC),
            last_seen=datetime(2026, 7, 1, tzinfo=UTC),
            content_at=datetime(2026, 7, 1, tzinfo=UTC),
            source="x",
            seen_by={f"owner-{number % 3}": [f"task-{number % 40}"]},
        )
        for number, post in enumerate(build_world(SEED, count).newest)
    ]


async def _measure(url: str, items: list[StoredItem]) -> list[Row]:
    took: list[tuple[float, float]] = []
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(AsyncElasticsearch(url, request_timeout=60))
        for _ in range(ROUNDS):
            search, prefix = await _fresh(url, stack)
            _, theirs = await _fresh(url, stack)
            took.append(await _index(search, client, Names(theirs).write, items))
        await client.indices.refresh(index=Names(prefix).read)
        found = await _search(search, client, prefix)
    ours, bare = min(took, key=sum)
    return [_indexing(len(items), ours, bare), _preparing(items), _searching(len(items), *found)]


async def _fresh(url: str, stack: AsyncExitStack) -> tuple[ElasticSearch, str]:
    """An empty index, and the first part of its names."""
    prefix = await stack.enter_async_context(fresh_prefix(url))
    search = ElasticSearch(url, Analyzer(), prefix=prefix)
    stack.push_async_callback(search.close)
    await search.open()
    return search, prefix


async def _index(
    search: ElasticSearch, client: AsyncElasticsearch, bare_alias: str, items: Sequence[StoredItem]
) -> tuple[float, float]:
    """Seconds for all items, ours and bare, batch by batch in turns."""
    analyzer = Analyzer()
    ours = bare = 0.0
    for start in range(0, len(items), BATCH):
        batch = items[start : start + BATCH]
        body: Any = [b"".join(line for _, line in item_lines(batch, analyzer)).rstrip(b"\n")]
        began = time.perf_counter()
        answer = await client.bulk(index=bare_alias, operations=body)
        between = time.perf_counter()
        await search.index(batch)
        ours, bare = ours + time.perf_counter() - between, bare + between - began
        assert not answer["errors"]
    return ours, bare


async def _search(search: ElasticSearch, client: AsyncElasticsearch, prefix: str) -> tuple[list[float], list[float]]:
    """Seconds of each query, ours and bare."""
    ours: list[float] = []
    bare: list[float] = []
    analyzer = Analyzer()
    for turn in range(WARM + TURNS):
        for text in TEXTS:
            for owner in (None, "owner-1"):
                wanted = ItemFilter(owner=owner, since=datetime(2026, 1, 1, 0, turn, tzinfo=UTC))
                query = SearchQuery(text=text, wanted=wanted)
                body = request(query, None if text is None else parse_query(text, analyzer))
                began = time.perf_counter()
                answer = await client.search(index=Names(prefix).read, body=body)
                between = time.perf_counter()
                page = await search.search(query)
                ended = time.perf_counter()
                assert page.total == answer["hits"]["total"]["value"]
                if turn >= WARM:
                    bare.append(between - began)
                    ours.append(ended - between)
    return ours, bare


def _p95(seconds: Sequence[float]) -> float:
    return sorted(seconds)[int(len(seconds) * 0.95)]


def _indexing(count: int, ours: float, bare: float) -> Row:
    return Row(
        name=f"indexing {count:,} items",
        ours=f"{count / ours:,.0f}/s",
        peer=f"{count / bare:,.0f}/s (bare bulk)",
        value=f"{bare / ours:.2f}x",
        target=f"≥ {INDEX_TARGET}x",
        ok=bare / ours >= INDEX_TARGET,
    )


def _preparing(items: Sequence[StoredItem]) -> Row:
    analyzer = Analyzer()
    for _ in item_lines(items[:500], analyzer):
        pass
    began = time.perf_counter()
    size = sum(len(line) for _, line in item_lines(items, analyzer))
    each = (time.perf_counter() - began) / len(items)
    return Row(name="  preparing of it", ours=f"{each * 1e6:.0f} µs an item, {size // len(items)} B", value="")


def _searching(count: int, ours: Sequence[float], bare: Sequence[float]) -> Row:
    ratio = _p95(ours) / _p95(bare)
    return Row(
        name=f"search over {count:,} items, p95",
        ours=f"{_p95(ours) * 1000:.1f} ms",
        peer=f"{_p95(bare) * 1000:.1f} ms (bare query)",
        value=f"{ratio:.2f}x",
        target=f"≤ {SEARCH_TARGET}x",
        ok=ratio <= SEARCH_TARGET,
    )


if __name__ == "__main__":
    sys.exit(report(measure()))
