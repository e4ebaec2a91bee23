"""ItemReader over gRPC."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import cast

import grpc
import msgspec

from xget.storage.v1 import item_reader_pb2 as pb
from xget.storage.v1.item_reader_pb2_grpc import ItemReaderServicer
from xget_rpc.fields import word, wrong
from xget_storage.models import Role
from xget_storage.ports import ItemFilter, SearchQuery
from xget_storage.service.reading import ReadService

SERVICE_NAME = "xget.storage.v1.ItemReader"

Context = grpc.aio.ServicerContext[object, object]
_USUAL, _LARGEST = 100, 1000


class ItemReader(ItemReaderServicer):
    """Translates messages. An empty owner sees all items: callers are services, which check who asks."""

    def __init__(self, reader: ReadService) -> None:
        self._reader = reader

    async def List(self, request: pb.ListRequest, context: Context) -> pb.ListResponse:
        """Page through what a task's executions have sighted."""
        found = await self._reader.sighted(_wanted(request), _limit(request.limit), request.cursor or None)
        return pb.ListResponse(
            items=[msgspec.json.encode(item) for item in found.items],
            next_cursor=found.next_cursor or "",
            total=found.total,
            matched=found.matched,
        )

    async def Stream(self, request: pb.StreamRequest, context: Context) -> AsyncIterator[pb.StreamResponse]:
        """Send all of it."""
        async for piece in self._reader.stream(_wanted(request)):
            yield pb.StreamResponse(items=[msgspec.json.encode(item) for item in piece])

    async def Search(self, request: pb.SearchRequest, context: Context) -> pb.SearchResponse:
        """Find a task's items by text."""
        wanted = ItemFilter(
            owner=word(request.owner_id, "owner_id") or None,
            task_id=word(request.task_id, "task_id") or None,
            lang=word(request.lang, "lang") or None,
        )
        query = SearchQuery(text=request.query or None, wanted=wanted, size=_limit(request.limit))
        found = await self._reader.search(query, request.cursor or None, highlights=True)
        return pb.SearchResponse(
            items=[msgspec.json.encode(item) for item in found.items],
            next_cursor=found.next_cursor or "",
            total=found.total,
        )


def _wanted(request: pb.ListRequest | pb.StreamRequest) -> ItemFilter:
    if not request.task_id and not request.execution_id:
        raise wrong("task_id", "required", "Give task_id or execution_id.")
    if request.role not in ("", "match", "context"):
        raise wrong("role", "role", "role is match, context, or empty for both.")
    return ItemFilter(
        owner=word(request.owner_id, "owner_id") or None,
        task_id=word(request.task_id, "task_id") or None,
        execution_id=word(request.execution_id, "execution_id") or None,
        role=cast(Role, request.role) if request.role else None,
    )


def _limit(asked: int) -> int:
    return min(max(asked, 1), _LARGEST) if asked else _USUAL
