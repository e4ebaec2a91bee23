"""Bulk requests: bounded, each item on its own.

What one call writes is durable when it returns (the engine's own log is synced before it answers). A call that was cut
short may be repeated as a whole: versions make it idempotent.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any, Final

from elasticsearch import NotFoundError

from xget_storage.adapters.elastic_search.connection import BULK_SECONDS, Connection, away
from xget_storage.adapters.elastic_search.documents import Line
from xget_telemetry.logs import get_logger
from xget_telemetry.metrics import Registry, Spec

REFUSED = Spec("xget_search_refused_total", "Items that the search engine refused for what is in them.", ("reason",))

_logger = get_logger(__name__)
_BULK_BYTES: Final = 5 * 1024 * 1024
_BULK_ITEMS: Final = 640
_BREATH_ITEMS: Final = 32
"""Lines made in one go: others of the loop, the sending of the piece before among them, wait for no more than these."""
_IN_FLIGHT: Final = 2
_TRIES: Final = 6
_PAUSE_SECONDS: Final = 0.2
_REASON_CHARACTERS: Final = 300


class NoTarget(Exception):
    """An alias to write to is not there (any more)."""


class BulkWriter:
    """Writes lines to aliases. `refresh` makes what was written visible before the call returns."""

    def __init__(self, connection: Connection, registry: Registry, *, refresh: bool) -> None:
        self._connection = connection
        self._registry = registry
        self._refresh = refresh

    async def write(self, lines: Iterable[Line], targets: Sequence[str]) -> None:
        """Write lines to each of `targets`, in pieces; a piece is made while those before it are on their way.

        Raises SearchAway (503); NoTarget when an alias is missing.
        """
        sending: list[asyncio.Task[None]] = []
        try:
            async for piece in pieces(lines):
                if len(sending) == _IN_FLIGHT:
                    await sending.pop(0)
                sending.append(asyncio.create_task(self._send(piece, targets)))
            while sending:
                await sending.pop(0)
        finally:
            for task in sending:
                task.cancel()
            await asyncio.gather(*sending, return_exceptions=True)

    async def _send(self, piece: Sequence[Line], targets: Sequence[str]) -> None:
        for target in targets:
            waiting = piece
            for attempt in range(_TRIES):
                waiting = await self._once(waiting, target)
                if not waiting:
                    break
                await asyncio.sleep(_PAUSE_SECONDS * 2**attempt * random.uniform(0.5, 1.0))
            else:
                raise away(f"is too busy for {len(waiting)} items")

    async def _once(self, lines: Sequence[Line], target: str) -> list[Line]:
        """Send lines; those that the engine had no room for."""
        client = self._connection.client.options(request_timeout=BULK_SECONDS)
        body: Any = [b"".join(line for _, line in lines).rstrip(b"\n")]  # bytes go as they are; the client ends them
        try:
            answer = await self._connection.ask(
                lambda: client.bulk(
                    index=target,
                    operations=body,
                    require_alias=True,
                    refresh=self._refresh,
                    filter_path=["errors", "items.*.status", "items.*.error.type", "items.*.error.reason"],
                )
            )
        except NotFoundError as error:
            raise NoTarget(target) from error
        if not answer["errors"]:
            return []
        outcomes = [next(iter(item.values())) for item in answer["items"]]
        return [line for line, outcome in zip(lines, outcomes, strict=True) if self._again(line[0], outcome, target)]

    def _again(self, key: str, outcome: dict[str, Any], target: str) -> bool:
        """Whether an item has to be sent again."""
        status = outcome["status"]
        if status < 300 or status == 409:
            return False  # 409: the index has something newer
        kind = outcome.get("error", {}).get("type", "unknown")
        if status == 404:
            raise NoTarget(target)
        if status in (400, 413):
            reason = str(outcome.get("error", {}).get("reason", ""))[:_REASON_CHARACTERS]
            _logger.error("search_item_refused", key=key, kind=kind, reason=reason)
            self._registry.counter(REFUSED).labels(kind).inc()
            return False
        if kind in ("cluster_block_exception", "index_closed_exception"):
            raise away(f"does not take writes ({kind}: look at its disk and at the index's settings)")
        return True


async def pieces(lines: Iterable[Line]) -> AsyncIterator[list[Line]]:
    """Lines in pieces that make one request each."""
    piece: list[Line] = []
    size = 0
    for number, line in enumerate(lines, 1):
        if piece and (size + len(line[1]) > _BULK_BYTES or len(piece) >= _BULK_ITEMS):
            yield piece
            piece, size = [], 0
        piece.append(line)
        size += len(line[1])
        if number % _BREATH_ITEMS == 0:
            await asyncio.sleep(0)
    if piece:
        yield piece
