"""What is wrong with an engine is said at start, with the fix; what is wrong with an item stays with that item."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from elasticsearch import AsyncElasticsearch

from xget_contracts.items import Media
from xget_kernel.errors import StartupError
from xget_storage.adapters.elastic_search import ElasticSearch, opening
from xget_storage.models import StoredItem
from xget_storage.ports import SearchQuery
from xget_storage.service.analysis import Analyzer
from xget_telemetry.metrics import Registry
from xget_testing.contracts.pages import START
from xget_testing.elastic import fresh_prefix

Answer = tuple[int, dict[str, str], Any]
_PRODUCT = {"X-elastic-product": "Elasticsearch"}


@asynccontextmanager
async def engine(answer: Callable[[bytes], Answer]) -> AsyncIterator[str]:
    """A server that answers every request as some engine would; its URL, with a user and a password."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        status, headers, body = answer(head)
        payload = json.dumps(body).encode()
        headers = {
            "Content-Type": "application/json",
            "Content-Length": str(len(payload)),
            "Connection": "close",
        } | headers
        lines = [f"HTTP/1.1 {status} Said", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
        writer.write("\r\n".join(lines).encode() + payload)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://someone:hidden-word@127.0.0.1:{server.sockets[0].getsockname()[1]}"


def _old(_: bytes) -> Answer:
    reason = "Accept version must be either version 8 or 7, but found 9"
    return 400, _PRODUCT, {"error": {"type": "media_type_header_exception", "reason": reason}, "status": 400}


def _old_by_name(_: bytes) -> Answer:
    return 200, _PRODUCT, {"nodes": {"a": {"version": "8.19.2"}}}


def _no_product(_: bytes) -> Answer:
    return 200, {}, {"hello": "world"}


def _no_login(_: bytes) -> Answer:
    return 401, _PRODUCT, {"error": {"type": "security_exception", "reason": "who?"}, "status": 401}


def _no_rights(head: bytes) -> Answer:
    if b"_nodes" in head:
        return 200, _PRODUCT, {"nodes": {"a": {"version": "9.5.3"}}}
    return 403, _PRODUCT, {"error": {"type": "security_exception", "reason": "not you"}, "status": 403}


async def _refusal(url: str, prefix: str = "xget") -> str:
    search = ElasticSearch(url, Analyzer(), prefix=prefix)
    try:
        with pytest.raises(StartupError) as refused:
            await search.open()
    finally:
        await search.close()
    said = str(refused.value)
    assert "\n" not in said
    assert "hidden-word" not in said
    return said


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (_old, "client 9 needs server 9"),
        (_old_by_name, "is 8.19.2, but client 9 needs server 9"),
        (_no_product, "is not Elasticsearch"),
        (_no_login, "does not know these credentials"),
        (_no_rights, "lacks rights"),
    ],
)
async def test_an_engine_that_cannot_be_used_is_refused_with_the_fix(
    answer: Callable[[bytes], Answer], says: str
) -> None:
    async with engine(answer) as url:
        said = await _refusal(url)
    assert says in said
    assert "ELASTICSEARCH_URL" in said


async def test_an_address_where_nothing_is_is_given_up_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "OPENING_SECONDS", 0.5)
    said = await _refusal("http://someone:hidden-word@127.0.0.1:1")
    assert said.startswith("Elasticsearch at http://********@127.0.0.1:1 does not answer")


@pytest.mark.parametrize("url", ["somewhere", "ftp://someone:hidden-word@host:1", "http://", "http://host:99999"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(StartupError, match="write it like http://"):
        ElasticSearch(url, Analyzer(), prefix="xget")


@pytest.fixture
async def prefix(elasticsearch_url: str) -> AsyncIterator[str]:
    async with fresh_prefix(elasticsearch_url) as name:
        yield name


@pytest.fixture
async def bare(elasticsearch_url: str) -> AsyncIterator[AsyncElasticsearch]:
    async with AsyncElasticsearch(elasticsearch_url) as client:
        yield client


@pytest.mark.connected("elasticsearch")
async def test_a_foreign_mapping_is_refused(elasticsearch_url: str, prefix: str, bare: AsyncElasticsearch) -> None:
    mappings = {"properties": {"terms": {"type": "keyword"}}}
    await bare.indices.create(index=f"{prefix}-theirs", mappings=mappings, aliases={f"{prefix}-items": {}})
    said = await _refusal(elasticsearch_url, prefix)
    assert f"{prefix}-theirs" in said
    assert "ELASTICSEARCH_INDEX" in said


@pytest.mark.connected("elasticsearch")
@pytest.mark.parametrize("name", ["items", "items-write"])
async def test_an_index_in_the_place_of_an_alias_is_refused(
    elasticsearch_url: str, prefix: str, bare: AsyncElasticsearch, name: str
) -> None:
    await bare.indices.create(index=f"{prefix}-{name}")
    said = await _refusal(elasticsearch_url, prefix)
    assert f"an index called {prefix}-{name}" in said


@pytest.mark.connected("elasticsearch")
async def test_processes_that_start_at_once_make_one_index(
    elasticsearch_url: str, prefix: str, bare: AsyncElasticsearch
) -> None:
    searches = [ElasticSearch(elasticsearch_url, Analyzer(), prefix=prefix) for _ in range(4)]
    await asyncio.gather(*(search.open() for search in searches))
    await asyncio.gather(*(search.close() for search in searches))
    assert list(await bare.indices.get(index=f"{prefix}*")) == [f"{prefix}-items-v1-000001"]


def _item(number: int, **fields: Any) -> StoredItem:
    given: dict[str, Any] = {"key": f"x:{number}", "platform": "x", "native_id": str(number), "text": "word"}
    given |= {"first_seen": START, "last_seen": START, "content_at": START, "source": "x", "seen_by": {"o": []}}
    return StoredItem(**(given | fields))


@pytest.mark.connected("elasticsearch")
async def test_an_item_that_the_engine_refuses_is_counted_and_the_rest_goes_on(
    elasticsearch_url: str, prefix: str
) -> None:
    registry = Registry()
    search = ElasticSearch(elasticsearch_url, Analyzer(), prefix=prefix, refresh=True, registry=registry)
    await search.open()
    too_long = {"author_username": "a" * 40_000}
    await search.index([_item(1), _item(2, **too_long), _item(3, media=[Media(type="photo", url="https://e.test/1")])])
    found = await search.search(SearchQuery(text="word", sort="oldest"))
    await search.close()
    assert sorted(found.keys) == ["x:1", "x:3"]
    assert b'xget_search_refused_total{reason="document_parsing_exception"} 1.0' in registry.render()


@pytest.mark.slow
@pytest.mark.connected("elasticsearch")
async def test_an_index_that_was_deleted_is_not_made_by_writing_to_it(
    elasticsearch_url: str, prefix: str, bare: AsyncElasticsearch
) -> None:
    search = ElasticSearch(elasticsearch_url, Analyzer(), prefix=prefix, refresh=True)
    await search.open()
    await bare.indices.delete(index=f"{prefix}-items-v1-000001")
    for call in (search.index([_item(1)]), search.search(SearchQuery())):
        with pytest.raises(Exception, match="xget search reindex"):
            await call
    assert list(await bare.indices.get(index=f"{prefix}*")) == []
    async with search.rebuilding() as rebuild:
        await rebuild.take({"x:1": _item(1)})
        await rebuild.finish()
    assert (await search.search(SearchQuery())).keys == ["x:1"]
    await search.close()


async def test_only_what_the_engine_had_no_room_for_is_sent_again() -> None:
    bodies: list[int] = []

    def busy(head: bytes) -> Answer:
        if b"_bulk" not in head:
            index = {"xget-items-v1-000001": {"aliases": {"xget-items-write": {}}, "mappings": {}}}
            return 200, _PRODUCT, index
        bodies.append(int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]))
        full = {"index": {"status": 429, "error": {"type": "es_rejected_execution_exception", "reason": "full"}}}
        done = {"index": {"status": 200}}
        return 200, _PRODUCT, {"errors": len(bodies) < 3, "items": [done, full] if len(bodies) == 1 else [full]}

    async with engine(busy) as url:
        search = ElasticSearch(url, Analyzer(), prefix="xget")
        await search.index([_item(1), _item(2)])
        await search.close()
    assert bodies[0] > bodies[1] == bodies[2]
