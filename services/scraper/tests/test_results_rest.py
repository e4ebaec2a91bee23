"""Results, search, exports and account checks against the other services' gRPC, in memory."""

# ruff: noqa: N802 - methods are named as the protos name them

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2 as httpx
import pytest

from xget.account.v1 import account_pool_pb2 as accounts_pb
from xget.account.v1 import account_pool_pb2_grpc as accounts_grpc
from xget.storage.v1 import item_reader_pb2 as pb
from xget.storage.v1 import item_reader_pb2_grpc as items_grpc
from xget_events.sqlite import SqliteEventLog
from xget_kernel.errors import NotFound
from xget_rpc.server import RpcServer
from xget_scraper.app import create_app
from xget_scraper.settings import Settings
from xget_testing.apps import running
from xget_testing.collecting import ListSource
from xget_testing.tokens import TokenMaker

TASK = {"task_name": "AI", "task_type": "KEYWORD_SEARCH", "parameters": {"query": "AI"}}
ITEMS = [
    {
        "key": f"x:{n}",
        "text": f'line\n"{n}", 人工智能',
        "role": "match",
        "hashtags": ["a", "b"],
        "links": [{"url": "https://example.org"}],
        "metrics": {"likes": n},
    }
    for n in range(3)
]


class Reader(items_grpc.ItemReaderServicer):
    """Three documents, and a record of what was asked."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    async def List(self, request: pb.ListRequest, context: Any) -> pb.ListResponse:
        self.asked.append(request)
        documents = [json.dumps(item).encode() for item in ITEMS[: request.limit]]
        return pb.ListResponse(items=documents, next_cursor="more", total=3, matched=2)

    async def Search(self, request: pb.SearchRequest, context: Any) -> pb.SearchResponse:
        self.asked.append(request)
        return pb.SearchResponse(items=[json.dumps(ITEMS[0]).encode()], total=1)

    async def Stream(self, request: pb.StreamRequest, context: Any) -> AsyncIterator[pb.StreamResponse]:
        self.asked.append(request)
        for item in ITEMS:
            yield pb.StreamResponse(items=[json.dumps(item).encode()])


class Accounts(accounts_grpc.AccountPoolServicer):
    """The administrator's one account."""

    async def Describe(self, request: accounts_pb.DescribeRequest, context: Any) -> accounts_pb.DescribeResponse:
        if (request.owner_id, request.account_id) != ("local", "a1"):
            raise NotFound("There is no such account.")
        return accounts_pb.DescribeResponse(account_id="a1")


@pytest.fixture
def reader() -> Reader:
    return Reader()


@pytest.fixture
async def others(reader: Reader) -> AsyncIterator[int]:
    server = RpcServer("127.0.0.1", 0, "inner")
    server.add(items_grpc.add_ItemReaderServicer_to_server, reader, "xget.storage.v1.ItemReader")
    server.add(accounts_grpc.add_AccountPoolServicer_to_server, Accounts(), "xget.account.v1.AccountPool")
    yield await server.start() - 1000
    await server.stop(0)


@pytest.fixture
async def open_client(
    settings: Settings, log: SqliteEventLog, others: int, tokens: TokenMaker, source: ListSource
) -> AsyncIterator[httpx.AsyncClient]:
    """The local administrator's client in open mode, with the other services there."""
    url = f"http://127.0.0.1:{others}"
    there = settings.model_copy(update={"open_mode": True, "storage_service_url": url, "account_service_url": url})
    async with running(create_app(there, log=log, verifier=tokens.verifier(), sources={"x": source})) as client:
        yield client


async def made(client: httpx.AsyncClient, **fields: Any) -> str:
    answer = await client.post("/api/v1/tasks", json=TASK | fields)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def test_results_are_storages_documents(open_client: httpx.AsyncClient, reader: Reader) -> None:
    task_id = await made(open_client, user_id="user123")
    answer = await open_client.get(f"/api/v1/tasks/{task_id}/results", params={"limit": 2, "role": "match"})
    assert answer.json() == {"items": ITEMS[:2], "next_cursor": "more", "total": 3, "matched": 2}
    asked = reader.asked[-1]
    assert (asked.owner_id, asked.task_id, asked.role, asked.limit) == ("user123", task_id, "match", 2)
    await open_client.get(f"/api/v1/tasks/{task_id}/results", params={"cursor": "more"})
    assert (reader.asked[-1].role, reader.asked[-1].cursor, reader.asked[-1].limit) == ("", "more", 20)
    assert (await open_client.get(f"/api/v1/tasks/{task_id}/results?limit=101")).status_code == 422


async def test_search_looks_in_one_task_or_in_all_of_the_callers(
    open_client: httpx.AsyncClient, reader: Reader
) -> None:
    task_id = await made(open_client, user_id="user123")
    found = await open_client.get("/api/v1/tasks/search/results", params={"q": "量子", "lang": "zh"})
    assert found.json() == {"items": ITEMS[:1], "next_cursor": None, "total": 1}
    assert (reader.asked[-1].owner_id, reader.asked[-1].query, reader.asked[-1].lang) == ("", "量子", "zh")
    await open_client.get("/api/v1/tasks/search/results", params={"q": "AI", "task_id": task_id})
    assert (reader.asked[-1].owner_id, reader.asked[-1].task_id) == ("user123", task_id)
    assert (await open_client.get("/api/v1/tasks/search/results?q=AI&task_id=no")).status_code == 404


async def test_jsonl_export_is_every_document_on_a_line(open_client: httpx.AsyncClient) -> None:
    task_id = await made(open_client)
    answer = await open_client.post(f"/api/v1/tasks/export/{task_id}", json={"format": "jsonl"})
    assert answer.headers["Content-Disposition"] == f'attachment; filename="task-{task_id}.jsonl"'
    assert [json.loads(line) for line in answer.text.splitlines()] == ITEMS


async def test_csv_export_survives_quotes_line_breaks_and_chinese(open_client: httpx.AsyncClient) -> None:
    task_id = await made(open_client)
    answer = await open_client.post(f"/api/v1/tasks/export/{task_id}", json={"format": "csv"})
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
    assert [row["text"] for row in rows] == [item["text"] for item in ITEMS]
    assert (rows[1]["likes"], rows[1]["hashtags"], rows[1]["links"]) == ("1", "a b", "https://example.org")
    assert (await open_client.post(f"/api/v1/tasks/export/{task_id}", json={"format": "xml"})).status_code == 422


async def test_storage_away_is_503(client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xget_rpc.calls.FIRST_PAUSE", 100)
    task_id = await made(client)
    assert (await client.get(f"/api/v1/tasks/{task_id}/results")).status_code == 503
    assert (await client.post(f"/api/v1/tasks/export/{task_id}", json={"format": "csv"})).status_code == 503


async def test_an_administrators_own_account_serves_anothers_task(open_client: httpx.AsyncClient) -> None:
    task_id = await made(open_client, user_id="user123", account_id="a1")
    assert (await open_client.get(f"/api/v1/tasks/{task_id}")).json()["account_id"] == "a1"


async def test_an_unknown_account_is_refused_by_name(open_client: httpx.AsyncClient) -> None:
    answer = await open_client.post("/api/v1/tasks", json=TASK | {"account_id": "nobody"})
    assert answer.status_code == 422
    assert [(e["field"], e["rule"]) for e in answer.json()["errors"]] == [("account_id", "exists")]


async def test_a_pool_that_is_away_is_503(client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xget_rpc.calls.FIRST_PAUSE", 100)
    answer = await client.post("/api/v1/tasks", json=TASK | {"proxy_id": "p1"})
    assert answer.status_code == 503
