"""Does what takedowns ask for, in pieces: after kill -9 anywhere, the next round goes on where the last piece ended.

Each takedown is swept twice. A writer who had read the bans just before one was put has stored or dropped what it had
in hand when the second sweep begins.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Final

import msgspec

from xget_contracts.events import AuthorForgotten
from xget_kernel.clock import Clock
from xget_storage.models import Takedown
from xget_storage.ports import Actor, DocumentStore, RawPageStore
from xget_storage.service.raw_cleaning import RawCleaner

GRACE: Final = timedelta(seconds=60)
"""Between the sweeps: longer than any batch is on its way."""
_PAGES: Final = 16

Announce = Callable[[AuthorForgotten], Awaitable[None]]


class Sweeper:
    """Takes authors out of documents and raw pages. Several at once do no harm: one writes down how far it is."""

    def __init__(
        self,
        documents: DocumentStore,
        raw_pages: RawPageStore,
        cleaner: RawCleaner,
        announce: Announce,
        clock: Clock,
    ) -> None:
        self._documents = documents
        self._raw_pages = raw_pages
        self._cleaner = cleaner
        self._announce = announce
        self._clock = clock

    async def run(self) -> None:
        """Do all that is due."""
        for takedown in await self._documents.takedowns(pending=True):
            if takedown.due <= self._clock.now():
                await self._sweep(takedown)

    async def _sweep(self, takedown: Takedown) -> None:
        known: Takedown | None = takedown
        while known is not None and known.pending and known.due <= self._clock.now():
            known = await self._saved(known, **await self._step(known))

    async def _saved(self, takedown: Takedown, **changes: Any) -> Takedown | None:
        """The takedown with what was done; None when somebody else has changed it."""
        changed = msgspec.structs.replace(takedown, **changes)
        if not await self._documents.put_takedown(changed):
            return None
        changed.v += 1
        return changed

    async def _step(self, takedown: Takedown) -> dict[str, Any]:
        """One piece of work, and what that changes."""
        match takedown.stage:
            case "announce":
                await self._announce(_event(takedown))
                return {"stage": "documents", "after": None} if takedown.active else {"pending": False}
            case "documents":
                by = Actor(user_id=takedown.notes[-1].actor, at=takedown.notes[-1].at)
                after = await self._documents.erase(takedown.author_key, takedown.after, by=by)
                return {"after": after} if after is not None else {"stage": "raw_pages", "after": None}
            case "raw_pages":
                return await self._raw_piece(takedown)

    async def _raw_piece(self, takedown: Takedown) -> dict[str, Any]:
        pages, after = await self._raw_pages.scan(takedown.after, _PAGES)
        found = 0
        for page in pages:
            cleaned = await self._cleaner.cleaned(page, [takedown.author_key])
            if cleaned is not None:
                found += await self._raw_pages.replace(cleaned, page.sha256)
        count = takedown.raw_pages + found
        if after is not None:
            return {"after": after, "raw_pages": count}
        items, reposts = await self._documents.erased(takedown.author_key)
        done: dict[str, Any] = {
            "raw_pages": count,
            "items": items,
            "reposts": reposts,
            "stage": "announce",
            "after": None,
        }
        if takedown.state == "running":
            return {**done, "state": "checking", "due": self._clock.now() + GRACE}
        return {**done, "state": "done", "pending": False}


def _event(takedown: Takedown) -> AuthorForgotten:
    platform, _, author_id = takedown.author_key.partition(":")
    return AuthorForgotten(
        author_key=takedown.author_key,
        platform=platform,
        author_id=author_id,
        at=takedown.notes[-1].at,
        lifted=not takedown.active,
    )
