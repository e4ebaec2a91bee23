"""Keys of a service, what they wrote, and whether all of it can be opened."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Final

from fastapi import FastAPI
from sqlalchemy import Executable, Table
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from xget_db.audit import By, Subject, values_of
from xget_db.data_keys import open_keys
from xget_db.engine import Database
from xget_db.sealed import Count, Sealed, counted
from xget_kernel.clock import Clock, SystemClock
from xget_kernel.errors import XGetError
from xget_kernel.keys import KeyInUse, Keys, KeySettings
from xget_telemetry.logs import get_logger
from xget_web.health import Check, Degraded

LOOK_SECONDS: Final = 10.0
"""How often it is asked whether the keys are others."""
_KEYS: Final = Subject("keys", "", "")
_DONE: Final = {
    "add": "added", "rewrap": "rewrapped", "retire": "retired", "restore": "restored", "forget": "forgotten",
}  # fmt: skip
COUNT_SECONDS: Final = 300.0
"""How often what they wrote is counted while nothing is known to be lost."""

log = get_logger(__name__)


NoteOf = Callable[[By, str, dict[str, object], datetime], Executable]
"""The statement that writes down who did what, with which details, and when."""


@dataclass
class KeyDesk:
    """Keys of a service and the tables that hold what they wrote; at `app.state.keys`."""

    keys: Keys
    database: Database
    tables: Sequence[Sealed]
    took_back: Callable[[], Awaitable[object]] | None = None
    """Called when all was looked at: what waits for a lost key may go on."""
    trail: NoteOf | None = None
    """How it is written down who changed what, if the service does that."""
    clock: Clock = field(default_factory=SystemClock)
    lost: dict[str, int] = field(default_factory=dict)
    """Secrets whose key is not there, by table, as they were counted last."""
    lost_keys: list[str] = field(default_factory=list)

    async def note(self, by: By, action: str, details: dict[str, object], session: AsyncSession | None = None) -> None:
        """Write down what somebody did to the keys, within a transaction or in one of its own."""
        if self.trail is None:
            return
        row = self.trail(by, action, details, self.clock.now())
        if session is not None:
            await session.execute(row)
            return
        async with self.database.transaction() as alone:
            await alone.execute(row)

    @asynccontextmanager
    async def noted(self, by: By, verb: str, **details: object) -> AsyncIterator[dict[str, object]]:
        """Write down that somebody begins to do something to the keys, before it is done, and then what came of it.

        After a kill in between the trail says `keys.<verb>_begun` alone. The block may add to what is told at its end.
        """
        await self.note(by, f"keys.{verb}_begun", details)
        try:
            yield details
        except XGetError as error:
            await self.note(by, f"keys.{verb}_failed", {**details, "reason": error.detail})
            raise
        await self.note(by, f"keys.{_DONE[verb]}", details)

    async def usage(self) -> list[Count]:
        """How many secrets of each column each key wrote."""
        async with self.database.read() as session:
            return await counted(session, self.tables, self.keys.ring.ids)

    async def count(self) -> None:
        """Find out what has lost its key; where some of it has come back, whoever waited for it goes on."""
        have, before = {*self.keys.ring.ids}, sum(self.lost.values())
        gone = [one for one in await self.usage() if one.key_id not in have]
        lost = Counter[str]()
        for one in gone:
            lost[one.table] += one.rows
        self.lost, self.lost_keys = dict(lost), sorted({one.key_id for one in gone})
        if sum(lost.values()) < before and self.took_back is not None:
            await self.took_back()

    async def retire(self, ids: Collection[str]) -> None:
        """Take keys away that wrote nothing here. Raises KeyInUse (409)."""
        await self._refuse_used(ids)
        await self.keys.retire(ids)
        try:
            await self._refuse_used(ids)  # by one that had not heard of the newest key
        except KeyInUse:
            await self.keys.restore(ids)
            raise

    async def forget(self, ids: Collection[str]) -> None:
        """Drop retired keys that wrote nothing here. Raises KeyInUse (409)."""
        await self._refuse_used(ids)
        await self.keys.forget(ids)

    async def watch(self) -> None:
        """Count again and again."""
        counted_at, ids = float("-inf"), tuple[str, ...]()
        while True:
            _ = self.keys.ring.newest  # takes up another file
            if self.lost or self.keys.ring.ids != ids or time.monotonic() - counted_at >= COUNT_SECONDS:
                try:
                    await self.count()
                    counted_at, ids = time.monotonic(), self.keys.ring.ids
                except (XGetError, SQLAlchemyError, OSError) as error:
                    log.warning("secrets_not_counted", reason=type(error).__name__)
            await asyncio.sleep(LOOK_SECONDS)

    async def _refuse_used(self, ids: Collection[str]) -> None:
        used = sorted({one.key_id for one in await self.usage()} & {*ids})
        if used:
            raise KeyInUse(f"The key {used[0]} wrote secrets that are stored: `xget keys rotate` writes them anew.")


def _row(table: Table, by: By, action: str, details: dict[str, object], at: datetime) -> Executable:
    return table.insert().values(values_of(by, action, _KEYS, details, at))


@asynccontextmanager
async def opened_keys(
    app: FastAPI,
    settings: KeySettings,
    database: Database,
    tables: Sequence[Sealed],
    *,
    trail: Table | NoteOf | None = None,
    clock: Clock | None = None,
) -> AsyncIterator[KeyDesk]:
    """The desk of a service for as long as it runs; it keeps up with keys that others add. Raises StartupError.

    What is done to the keys is written into `trail`, an audit table, or by the statements that it makes.
    """
    keys = await open_keys(settings, database, tables)
    noting = partial(_row, trail) if isinstance(trail, Table) else trail
    app.state.keys = desk = KeyDesk(keys, database, tables, trail=noting, clock=clock or SystemClock())
    async with keys.following():
        watching = asyncio.create_task(desk.watch())
        try:
            yield desk
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching


def keys_answer(app: Callable[[], FastAPI]) -> Check:
    """Degraded while the keys cannot be read anew from where they come, or some that are needed are not there."""

    async def keys_come() -> str | None:
        desk: KeyDesk = app().state.keys
        said = [f"{desk.keys.trouble} The keys of before go on."] if desk.keys.trouble else []
        if desk.lost:
            counts = ", ".join(f"{count} of {table}" for table, count in desk.lost.items())
            said.append(
                f"Secrets that no key opens: {counts} (keys {', '.join(desk.lost_keys[:5])}). `xget keys status` names "
                "the rows; bring the keys back (docs/operations/secrets.md) or set these secrets anew."
            )
        return Degraded(" ".join(said)) if said else None

    return keys_come
