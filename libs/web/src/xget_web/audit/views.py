"""Notes who looked at what: at one thing before the answer leaves, at a list a moment later, by one writer."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

from fastapi import Depends, Request
from sqlalchemy import Table

from xget_db.audit import By, Subject, values_of
from xget_db.engine import Database
from xget_db.upserts import insert
from xget_kernel.clock import Clock
from xget_kernel.errors import XGetError
from xget_telemetry.logs import get_logger

log = get_logger(__name__)

AGAIN_SECONDS: Final = 60.0
"""Who looks at the same again so soon is noted once."""
RETRY_SECONDS: Final = 1.0
KEPT_SECONDS: Final = 2.0
"""So long an answer waits for the note of a look at most."""
_REMEMBERED: Final = 4096
_MOST_WAITING: Final = 10_000


class Views:
    """Looks that wait to be written, within a second. A process that is killed loses the lists of its last moment.

    What reveals a secret is no look: it is noted in the transaction that gives the secret away.
    """

    def __init__(self, database: Database, table: Table, clock: Clock) -> None:
        self._database = database
        self._table = table
        self._clock = clock
        self._seen: OrderedDict[tuple[str, ...], float] = OrderedDict()
        self._waiting: list[dict[str, Any]] = []
        self._stir = asyncio.Event()
        self._turn = asyncio.Lock()

    def note(self, by: By, action: str, subject: Subject, details: Mapping[str, Any] | None = None) -> None:
        """Somebody looks at something."""
        key, now = (by.actor, action, subject.id, repr(details)), self._clock.monotonic()
        if now - self._seen.get(key, -AGAIN_SECONDS) < AGAIN_SECONDS:
            return
        self._seen[key] = now
        self._seen.move_to_end(key)
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        if len(self._waiting) >= _MOST_WAITING:
            log.error("audit_view_lost", action=action)
            return
        self._waiting.append(values_of(by, action, subject, dict(details or {}), self._clock.now()))
        self._stir.set()

    async def kept(self) -> None:
        """Wait until all looks of before are written: while the tables cannot be written, two seconds at most."""
        try:
            async with asyncio.timeout(KEPT_SECONDS):
                await self.flush()
        except (XGetError, TimeoutError) as error:
            log.warning("audit_views_wait", reason=str(error) or "They take too long.", count=len(self._waiting))

    async def flush(self) -> None:
        """Write what waits. Raises XGetError while the tables cannot be written; it waits on."""
        async with self._turn:
            rows, self._waiting = self._waiting, []
            if not rows:
                return
            try:
                async with self._database.transaction() as session:
                    await session.execute(insert(session, self._table).on_conflict_do_nothing(), rows)
            except BaseException:  # who reads may go away under way, and nobody knows then whether it was written
                self._waiting = [*rows, *self._waiting]
                raise

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Views]:
        """Write for the length of a block, and what is left at its end."""
        writing = asyncio.create_task(self._write())
        try:
            yield self
        finally:
            async with self._turn:
                writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)
            await self._try()

    async def _write(self) -> None:
        while True:
            await self._stir.wait()
            self._stir.clear()
            if not await self._try():
                await asyncio.sleep(RETRY_SECONDS)
                self._stir.set()

    async def _try(self) -> bool:
        try:
            await self.flush()
        except XGetError as error:
            log.warning("audit_views_wait", reason=error.detail, count=len(self._waiting))
            return False
        return True


def kept_dep(views: Callable[[Request], Views]) -> Any:
    """`Kept = Annotated[Views, kept_dep(views)]`: what a route notes with it is written before the answer leaves.

    Name it before what opens a session: that one is closed by then, and no request holds two connections.
    """

    async def keep(request: Request) -> AsyncIterator[Views]:
        found = views(request)
        yield found
        await found.kept()

    return Depends(keep, scope="function")
