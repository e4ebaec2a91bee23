"""Clearing away what ended executions leave and nobody reads."""

from __future__ import annotations

import asyncio
from typing import Final

from xget_scraper.repository import Store

PIECE: Final = 5_000
"""Keys that one transaction deletes: no worker waits long behind it."""


class Tidying:
    """Deletes the keys of executions that collect no more, in pieces, each one transaction."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def tidy(self, stop: asyncio.Event) -> None:
        """Delete what there is, or until `stop` is set. A death in between leaves the rest to the next call."""
        while not stop.is_set() and await self._piece():
            pass

    async def _piece(self) -> bool:
        async with self._store.read() as unit:
            if not await unit.matches.needs_tidying():
                return False
        async with self._store.transaction() as unit:
            execution = await unit.matches.outlived()
            if execution is not None:
                await unit.matches.forget(execution, PIECE)
        return execution is not None
