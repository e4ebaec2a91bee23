"""Authors who ask to be forgotten: what people say of it. `sweeping` does the work."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final, Literal

import msgspec

from xget_contracts.items import Struct
from xget_kernel.caller import Caller
from xget_kernel.clock import Clock
from xget_kernel.errors import FieldError, Unavailable
from xget_storage.errors import BadAuthorKey, TakedownNotFound
from xget_storage.models import Takedown, TakedownNote, TakedownState
from xget_storage.ports import DocumentStore

_KEY: Final = re.compile(r"[a-z][a-z0-9_-]{0,31}:[A-Za-z0-9._~-]{1,64}")
_TRIES: Final = 20
_MAY: Final = "operator"


class TakedownView(Struct, kw_only=True, omit_defaults=False):
    """A takedown: how far it is and who asked for it. Counts are of what was found, without content."""

    author_key: str
    state: TakedownState
    active: bool
    items: int
    reposts: int
    raw_pages: int
    notes: list[TakedownNote]


class TakedownList(Struct, kw_only=True, omit_defaults=False):
    """All takedowns, lifted ones too."""

    items: list[TakedownView]


class TakedownService:
    """Use cases of takedowns. Each needs the role operator (an administrator passes)."""

    def __init__(self, documents: DocumentStore, clock: Clock) -> None:
        self._documents = documents
        self._clock = clock

    async def forget(self, author_key: str, reason: str, caller: Caller) -> TakedownView:
        """Ban an author from now on, durably; the worker takes down what there is. Again sweeps again.

        Raises BadAuthorKey (422), Forbidden (403).
        """
        caller.require(_MAY)
        if not _KEY.fullmatch(author_key):
            message = "Write the author's key like x:44196397, as items show it in author_key."
            raise BadAuthorKey(message, errors=[FieldError("author_id", "author_key", message)])
        return await self._change(author_key, "forget", reason, caller)

    async def lift(self, author_key: str, reason: str, caller: Caller) -> TakedownView:
        """Let an author be collected again; nothing is restored. Raises TakedownNotFound (404), Forbidden (403)."""
        caller.require(_MAY)
        return await self._change(author_key, "lift", reason, caller)

    async def get(self, author_key: str, caller: Caller) -> TakedownView:
        """How far a takedown is. Raises TakedownNotFound (404), Forbidden (403)."""
        caller.require(_MAY)
        return _view(_found(await self._documents.takedown(author_key), author_key))

    async def all(self, caller: Caller) -> TakedownList:
        """All of them, by key. Raises Forbidden (403)."""
        caller.require(_MAY)
        return TakedownList(items=[_view(one) for one in await self._documents.takedowns()])

    async def _change(
        self, author_key: str, action: Literal["forget", "lift"], reason: str, caller: Caller
    ) -> TakedownView:
        for _ in range(_TRIES):
            now = self._clock.now()
            known = await self._documents.takedown(author_key)
            if action == "lift":
                known = _found(known, author_key)
                if not known.active:
                    return _view(known)
            note = TakedownNote(action=action, actor=caller.user_id, at=now, reason=reason)
            if await self._documents.put_takedown(changed := _changed(known, author_key, note, now)):
                return _view(changed)
        raise Unavailable("This takedown is changed by too many at once: try again.")


def _changed(known: Takedown | None, author_key: str, note: TakedownNote, now: datetime) -> Takedown:
    takedown = known or Takedown(author_key=author_key, due=now)
    return msgspec.structs.replace(
        takedown,
        state="running" if note.action == "forget" else "lifted",
        pending=True,
        stage="announce",
        after=None,
        due=now,
        notes=[*takedown.notes, note],
    )


def _found(takedown: Takedown | None, author_key: str) -> Takedown:
    if takedown is None:
        raise TakedownNotFound(f"No author {author_key[:128]!r} was taken down: `GET /data/forgotten` lists them.")
    return takedown


def _view(one: Takedown) -> TakedownView:
    return TakedownView(
        author_key=one.author_key, state=one.state, active=one.active, items=one.items, reposts=one.reposts,
        raw_pages=one.raw_pages, notes=one.notes,
    )  # fmt: skip
