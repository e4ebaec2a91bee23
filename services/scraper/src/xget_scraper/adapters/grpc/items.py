"""Stored items over gRPC."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Final

from xget.storage.v1 import item_reader_pb2 as pb
from xget.storage.v1.item_reader_pb2_grpc import ItemReaderStub
from xget_rpc.client import RpcChannel
from xget_scraper.ports import Listing

STREAM_SECONDS: Final = 3600.0


class GrpcItems:
    """Reads documents from the storage service."""

    def __init__(self, channel: RpcChannel) -> None:
        self._reader = channel.stub(ItemReaderStub)

    async def list(self, owner_id: str, task_id: str, role: str, limit: int, cursor: str | None) -> Listing:
        """Items of a task, oldest sighting first."""
        request = pb.ListRequest(owner_id=owner_id, task_id=task_id, role=role, limit=limit, cursor=cursor or "")
        found = await self._reader.List(request)
        return Listing(list(found.items), found.next_cursor or None, found.total, found.matched)

    async def search(
        self, owner_id: str, query: str, *, task_id: str | None, lang: str | None, limit: int, cursor: str | None
    ) -> Listing:
        """Items that a text query finds, best first."""
        request = pb.SearchRequest(
            owner_id=owner_id, query=query, task_id=task_id or "", lang=lang or "", limit=limit, cursor=cursor or ""
        )
        found = await self._reader.Search(request)
        return Listing(list(found.items), found.next_cursor or None, found.total)

    async def stream(self, owner_id: str, task_id: str, role: str) -> AsyncIterator[Sequence[bytes]]:
        """All items of a task in batches."""
        request = pb.StreamRequest(owner_id=owner_id, task_id=task_id, role=role)
        async for batch in self._reader.Stream(request, timeout=STREAM_SECONDS):
            yield list(batch.items)
