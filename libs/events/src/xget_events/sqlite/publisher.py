"""Group commit: publishes that arrive while the disk is busy share the next transaction."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from xget_events.sqlite import records
from xget_events.sqlite.threads import Threaded
from xget_kernel.errors import XGetError

BATCH_BYTES = 64 << 20
"""Bodies in one transaction, beyond the first publish."""


class Publisher:
    """Writes rows in the order of arrival and tells `published(partitions)` what was appended."""

    def __init__(self, writer: Threaded, published: Callable[[set[int]], None]) -> None:
        self._writer = writer
        self._published = published
        self._queue: deque[tuple[Sequence[records.Row], asyncio.Future[None]]] = deque()
        self._task: asyncio.Task[None] | None = None

    async def publish(self, rows: Sequence[records.Row]) -> None:
        """Return when the rows are on the disk; a caller that is cancelled meanwhile may or may not have published."""
        done = asyncio.get_running_loop().create_future()
        self._queue.append((rows, done))
        if self._task is None:
            self._task = asyncio.create_task(self._drain())
        await done

    async def close(self) -> None:
        """Wait for the publishes in hand."""
        while self._task is not None:
            await asyncio.wait([self._task])

    async def _drain(self) -> None:
        try:
            while self._queue:
                await self._write(self._next_batch())
        finally:
            self._task = None

    def _next_batch(self) -> list[tuple[Sequence[records.Row], asyncio.Future[None]]]:
        batch = [self._queue.popleft()]
        size = _size(batch[0][0])
        while self._queue and size + _size(self._queue[0][0]) <= BATCH_BYTES:
            batch.append(self._queue.popleft())
            size += _size(batch[-1][0])
        return batch

    async def _write(self, batch: list[tuple[Sequence[records.Row], asyncio.Future[None]]]) -> None:
        rows = [row for rows, _ in batch for row in rows]
        try:
            await self._writer.run(records.publish, rows)
        except Exception as error:  # noqa: BLE001 - handed to those who wait, each of whom raises it
            _fail(batch, error)
            return
        for _, done in batch:
            if not done.done():
                done.set_result(None)
        self._published({row[0] for row in rows})


def _size(rows: Sequence[records.Row]) -> int:
    return sum(len(row[4]) for row in rows)


def _fail(batch: list[tuple[Sequence[records.Row], asyncio.Future[None]]], error: Exception) -> None:
    for _, done in batch:
        if not done.done():
            # One error object must not gather the tracebacks of many tasks.
            done.set_exception(type(error)(error.detail) if isinstance(error, XGetError) else error)
