"""Items over gRPC."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from xget.storage.v1 import item_reader_pb2 as pb
from xget.storage.v1.item_reader_pb2_grpc import ItemReaderStub
from xget_kernel.errors import Invalid
from xget_kernel.pages import decode_cursor, encode_cursor
from xget_rpc.client import RpcChannel
from xget_storage.adapters.stores import Stores
from xget_storage.app import create_app
from xget_storage.service.ingest import IndexService
from xget_storage.settings import Settings
from xget_testing.contracts.pages import START, make_item, make_page
from xget_web.serve import lifespan_of


@pytest.fixture
async def reader(settings: Settings) -> AsyncIterator[Any]:
    async with Stores.opened(settings) as stores:
        pages = [make_page(n, [make_item(n * 100 + i, text=f"量子 {n}") for i in range(40)]) for n in range(1, 31)]
        pages.append(make_page(31, [make_item(1, role="context")]))
        answers = await stores.documents.store_pages(pages, START)
        await IndexService(stores.documents, stores.search).index([key for a in answers for key in a.keys])
    app = create_app(settings)
    async with lifespan_of(app):
        channel = RpcChannel(f"127.0.0.1:{app.state.grpc_port}", settings.internal_token)
        yield channel.stub(ItemReaderStub)
        await channel.close()


def decoded(items: Any) -> list[dict[str, Any]]:
    return [msgspec.json.decode(item) for item in items]


async def test_list_pages_through_a_tasks_items_in_order(reader: Any) -> None:
    keys: list[str] = []
    cursor = ""
    while True:
        request = pb.ListRequest(owner_id="owner-1", task_id="t1", role="match", limit=500, cursor=cursor)
        page = await reader.List(request)
        assert (page.total, page.matched) == (1201, 1200)
        keys += [item["key"] for item in decoded(page.items)]
        cursor = page.next_cursor
        if not cursor:
            break
    assert keys == [f"x:{n * 100 + i}" for n in range(1, 31) for i in range(40)]


async def test_a_cursor_without_counts_goes_on_and_counts_again(reader: Any) -> None:
    request = pb.ListRequest(owner_id="owner-1", task_id="t1", limit=10)
    first = await reader.List(request)
    place = decode_cursor(first.next_cursor)[0]
    second = await reader.List(pb.ListRequest(owner_id="owner-1", task_id="t1", cursor=encode_cursor([place])))
    assert (second.total, second.matched) == (first.total, first.matched) == (1201, 1200)
    assert not set(second.items) & set(first.items)


async def test_items_carry_role_execution_and_time(reader: Any) -> None:
    request = pb.ListRequest(owner_id="owner-1", execution_id="e1", role="context")
    (item,) = decoded((await reader.List(request)).items)
    assert (item["key"], item["role"], item["execution_id"]) == ("x:1", "context", "e1")
    assert item["seen_at"] == "2026-07-01T12:00:31Z"
    assert item["task_ids"] == ["t1"]


async def test_stream_sends_everything_in_the_same_order(reader: Any) -> None:
    keys: list[str] = []
    async for piece in reader.Stream(pb.StreamRequest(owner_id="owner-1", task_id="t1")):
        keys += [item["key"] for item in decoded(piece.items)]
    assert len(keys) == len(set(keys)) == 1201
    assert keys[-1] == "x:1"


async def test_search_finds_a_tasks_items_with_highlights(reader: Any) -> None:
    request = pb.SearchRequest(owner_id="owner-1", query="量子 7", task_id="t1", limit=10)
    found = await reader.Search(request)
    assert found.total == 40
    assert decoded(found.items)[0]["highlights"] == ["<em>量子</em> <em>7</em>"]
    more = await reader.Search(pb.SearchRequest(owner_id="owner-1", query="量子 7", cursor=found.next_cursor))
    assert len(more.items) == 30
    assert (await reader.Search(pb.SearchRequest(owner_id="owner-2", query="量子"))).total == 0


async def test_other_owners_tasks_are_empty(reader: Any) -> None:
    page = await reader.List(pb.ListRequest(owner_id="owner-2", task_id="t1"))
    assert (page.total, list(page.items), page.next_cursor) == (0, [], "")


@pytest.mark.parametrize(
    "request_",
    [
        pb.ListRequest(owner_id="owner-1"),
        pb.ListRequest(owner_id="owner-1", task_id="t1", role="star"),
        pb.ListRequest(owner_id="owner-1", task_id="t1", cursor="nonsense"),
        pb.ListRequest(owner_id="owner-1", task_id="t1", cursor="WyJhIl0"),
        pb.ListRequest(owner_id="owner-1", task_id="t1", cursor=encode_cursor([1, 2, 3])),
        pb.ListRequest(owner_id="owner-1", task_id="t1", cursor=encode_cursor([1, 2**40, 0])),
    ],
)
async def test_bad_requests_are_invalid(reader: Any, request_: pb.ListRequest) -> None:
    with pytest.raises(Invalid):
        await reader.List(request_)
