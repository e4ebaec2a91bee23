"""Search in Elasticsearch is away and comes back: nothing stops but searching, nothing is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx2 as httpx
import pytest
from elasticsearch import AsyncElasticsearch

from xget_contracts.events import RESULTS, STORED
from xget_events import codec
from xget_events.sqlite import SqliteEventLog
from xget_events.topics import load_topics
from xget_kernel.clock import SystemClock
from xget_kernel.secrets import Secret
from xget_storage.app import create_app
from xget_storage.settings import Settings
from xget_storage.worker import Worker, create_worker
from xget_testing.apps import running
from xget_testing.contracts.pages import make_item, make_page
from xget_testing.elastic import fresh_prefix
from xget_testing.relay import Relay
from xget_testing.tokens import TokenMaker

pytestmark = pytest.mark.connected("elasticsearch")

DATA = "/api/v1/data"
_numbers = iter(range(1, 10_000))


@dataclass
class Line:
    """A storage service and its worker, with a wire to search that can be cut."""

    api: httpx.AsyncClient
    log: SqliteEventLog
    wire: Relay
    worker: Worker
    prefix: str

    async def send(self, count: int) -> None:
        """Have items collected, until they are stored."""
        async with self.log.consumer("test", [STORED]) as consumer:
            page = make_page(next(_numbers), [make_item(next(_numbers), text="word") for _ in range(count)])
            await self.log.publish(
                [codec.message(RESULTS, page.execution_id, page, source="test", now=SystemClock().now())]
            )
            while not (records := await consumer.poll()):
                pass
            await consumer.commit(records)

    async def found(self, query: str) -> Any:
        """How many items a search finds; the status when it is none."""
        answer = await self.api.get(f"{DATA}/search", params={"q": query})
        return answer.json()["total"] if answer.status_code == 200 else answer.status_code

    async def until_found(self, query: str, count: int) -> None:
        """Wait for search to catch up."""
        async with asyncio.timeout(60):
            while await self.found(query) != count:  # noqa: ASYNC110 - search has no event for it
                await asyncio.sleep(0.1)


@asynccontextmanager
async def running_line(settings: Settings, tokens: TokenMaker, url: str, *, cut: bool = False) -> AsyncIterator[Line]:
    """`cut`: search is away when it starts."""
    place = urlsplit(url)
    async with AsyncExitStack() as stack:
        wire = await stack.enter_async_context(Relay(place.hostname or "", place.port or 0))
        prefix = await stack.enter_async_context(fresh_prefix(url))
        if cut:
            await wire.cut()
        given = {"elasticsearch_url": Secret(f"http://127.0.0.1:{wire.port}"), "elasticsearch_index": prefix}
        chosen = settings.model_copy(update=given)
        log = SqliteEventLog(settings.home / "events.db")
        stack.push_async_callback(log.close)
        await log.create_topics(load_topics())
        app = create_app(chosen, verifier=tokens.verifier())
        api = await stack.enter_async_context(running(app, token=tokens.make("owner-1")))
        stop, worker = asyncio.Event(), create_worker(chosen, log=log)
        work = asyncio.create_task(worker.run(stop))
        yield Line(api, log, wire, worker, prefix)
        stop.set()
        await work


@pytest.fixture
async def line(settings: Settings, tokens: TokenMaker, elasticsearch_url: str) -> AsyncIterator[Line]:
    async with running_line(settings, tokens, elasticsearch_url) as found:
        yield found


async def test_search_is_cut_off_and_everything_else_goes_on(line: Line) -> None:
    await line.send(3)
    await line.until_found("word", 3)
    await line.wire.cut()
    refused = await line.api.get(f"{DATA}/search", params={"q": "word"})
    assert (refused.status_code, refused.headers["content-type"]) == (503, "application/problem+json")
    assert int(refused.headers["retry-after"]) >= 1
    await line.send(4)
    created = await line.api.post(DATA, json={"text": "word of mine"})
    assert created.status_code == 201
    listed = (await line.api.get(DATA)).json()
    assert listed["total"] == 8
    for _ in range(8):
        assert await line.found("word") == 503
    ready = await line.api.get("/readyz")
    assert ready.status_code == 200
    (sentence,) = ready.json()["degraded"]
    assert sentence.startswith("Search is away")
    assert await line.log.lag("search-index") != {}
    await line.wire.mend()
    await line.until_found("word", 8)
    assert (await line.api.get("/readyz")).json() == {"status": "ready"}
    async with line.log.consumer("test-dlq", [f"{STORED}.dlq"]) as consumer:
        assert await consumer.poll(timeout=0.1) == []


async def test_a_search_that_hangs_holds_up_neither_changes_nor_readiness(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xget_web.health.CHECK_SECONDS", 2.0)
    key = (await line.api.post(DATA, json={"text": "first word"})).json()["key"]
    await line.until_found("word", 1)
    line.wire.hold()
    async with asyncio.timeout(9):  # who waited for search would be answered after ten
        assert (await line.api.put(f"{DATA}/{key}", json={"text": "second word"})).status_code == 200
        ready = await line.api.get("/readyz")
    assert (ready.status_code, len(ready.json()["degraded"])) == (200, 1)
    line.wire.let_go()
    await line.until_found("second", 1)
    await line.until_found("first", 0)


async def test_who_starts_without_search_goes_on_and_search_catches_up(
    settings: Settings, tokens: TokenMaker, elasticsearch_url: str
) -> None:
    async with running_line(settings, tokens, elasticsearch_url, cut=True) as line:
        await line.send(3)
        assert (await line.api.post(DATA, json={"text": "word of mine"})).status_code == 201
        refused = await line.api.get(f"{DATA}/search", params={"q": "word"})
        assert (refused.status_code, int(refused.headers["retry-after"]) >= 1) == (503, True)
        ready = await line.api.get("/readyz")
        (sentence,) = ready.json()["degraded"]
        assert ready.status_code == 200
        assert sentence.startswith(
            f"Search is away: Elasticsearch at http://127.0.0.1:{line.wire.port} does not answer"
        )
        assert "ELASTICSEARCH_URL" in sentence
        assert line.worker.degraded() == {"search": sentence}
        await line.wire.mend()
        await line.until_found("word", 4)
        assert (await line.api.get("/readyz")).json() == {"status": "ready"}
        assert line.worker.degraded() == {}


async def test_a_search_that_comes_back_unfit_is_told_and_left_alone(
    settings: Settings, tokens: TokenMaker, elasticsearch_url: str
) -> None:
    async with (
        running_line(settings, tokens, elasticsearch_url, cut=True) as line,
        AsyncElasticsearch(elasticsearch_url) as engine,
    ):
        theirs, mappings = f"{line.prefix}-theirs", {"properties": {"terms": {"type": "keyword"}}}
        await engine.indices.create(index=theirs, mappings=mappings, aliases={f"{line.prefix}-items": {}})
        await line.send(2)
        await line.wire.mend()
        async with asyncio.timeout(60):
            while "ELASTICSEARCH_INDEX" not in (await line.api.get("/readyz")).text:  # noqa: ASYNC110 - no event
                await asyncio.sleep(0.1)
        assert theirs in (await line.api.get("/readyz")).json()["degraded"][0]
        assert await line.found("word") == 503
        assert (await engine.count(index=theirs))["count"] == 0
        await engine.indices.delete(index=theirs)
        await line.until_found("word", 2)


async def test_metrics_tell_the_way_to_search(line: Line) -> None:
    name = 'xget_breaker_state{peer="Elasticsearch"}'
    await line.send(1)
    await line.until_found("word", 1)
    assert f"{name} 0.0" in (await line.api.get("/metrics")).text
    await line.wire.cut()
    for _ in range(6):
        assert await line.found("word") == 503
    assert f"{name} 2.0" in (await line.api.get("/metrics")).text
