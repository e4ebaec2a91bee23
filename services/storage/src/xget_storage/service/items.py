"""What people do with items by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Any

from xget_contracts.items import Item
from xget_kernel.caller import Caller
from xget_kernel.clock import Clock
from xget_kernel.errors import XGetError
from xget_kernel.ids import new_id
from xget_storage.errors import AuthorForgottenHere, AuthorNotFound, ItemExists, no_such_item
from xget_storage.models import IMPORTED, AuditEntry, Draft, StoredAuthor, StoredItem
from xget_storage.ports import Actor, DocumentStore, ItemFilter
from xget_storage.service.bans import Bans
from xget_storage.service.ingest import IndexService
from xget_telemetry.logs import get_logger

_logger = get_logger(__name__)
_PROMPT_SECONDS = 2.0
"""A change waits so long for search, and no longer."""


class DataService:
    """Use cases of single items. Every change is audited, and no collection undoes it."""

    def __init__(self, documents: DocumentStore, indexing: IndexService, clock: Clock) -> None:
        self._documents = documents
        self._indexing = indexing
        self._clock = clock

    async def get(self, key: str, caller: Caller) -> StoredItem:
        """An item of the caller's. Raises ItemNotFound (404)."""
        item = await self._documents.get(key, caller.owner_filter)
        if item is None:
            raise no_such_item(key)
        return item

    async def author(self, key: str, caller: Caller) -> StoredAuthor:
        """An author of whom the caller has an item. Raises AuthorNotFound (404)."""
        author = (await self._documents.authors([key])).get(key)
        if author is not None:
            theirs = ItemFilter(owner=caller.owner_filter, author=author.username)
            if caller.is_admin or (await self._documents.find(theirs, 1)).total:
                return author
        raise AuthorNotFound(f"There is no author {key[:128]!r} among your items.")

    async def create(self, draft: Draft, caller: Caller) -> StoredItem:
        """Store an item that the caller brings. Raises ItemExists (409)."""
        (item,) = await self.create_many([draft], caller)
        if item is None:
            raise ItemExists(
                f"You have an item with native_id {draft.native_id!r} already, or deleted it: choose another."
            )
        return item

    async def create_many(self, drafts: Sequence[Draft], caller: Caller) -> list[StoredItem | None]:
        """Store many in one transaction; None for each whose `native_id` is taken.

        Raises AuthorForgottenHere (409) when one is by an author who was taken down, and stores none.
        """
        now = self._clock.now()
        bans = Bans(await self._documents.banned())
        for draft in drafts if bans else ():
            if bans.part(draft) is not None:
                raise AuthorForgottenHere(
                    f"The author {draft.platform}:{draft.author_id} was taken down: leave it out."
                )
        items = [_imported(draft, caller.user_id, now) for draft in drafts]
        added = await self._documents.add(items, caller.user_id)
        await self._index()
        return [item if done else None for item, done in zip(items, added, strict=True)]

    async def edit(self, key: str, edits: dict[str, Any], caller: Caller, rev: int | None = None) -> StoredItem:
        """Put `edits` over what was collected, for good; a None value gives the collected one back.

        Raises ItemNotFound (404), ItemShared (409), ItemChanged (412; `rev` is the revision the caller saw).
        """
        by = Actor(user_id=caller.user_id, at=self._clock.now())
        item = await self._documents.edit(key, caller.owner_filter, edits, rev=rev, by=by)
        await self._index()
        return item

    async def delete(self, key: str, caller: Caller) -> None:
        """Take an item from the caller (an administrator: from everybody), for ever. Raises ItemNotFound (404)."""
        by = Actor(user_id=caller.user_id, at=self._clock.now())
        await self._documents.delete(key, caller.owner_filter, by=by)
        await self._index()

    async def audit(self, key: str, caller: Caller) -> list[AuditEntry]:
        """Changes by people, oldest first, of deleted items too. Raises ItemNotFound (404)."""
        return await self._documents.audit(key, caller.owner_filter)

    async def _index(self) -> None:
        """Make the change searchable now; the worker does it when that fails."""
        try:
            async with asyncio.timeout(_PROMPT_SECONDS):
                await self._indexing.catch_up()
        except XGetError as error:
            _logger.warning("index_behind", reason=error.detail)
        except TimeoutError:
            _logger.warning("index_behind", reason="search did not answer in time")


def _imported(draft: Draft, owner: str, now: datetime) -> StoredItem:
    """Imports have keys of their own per owner, so that nobody's id meets a collected item or somebody else's."""
    native_id = draft.native_id or new_id()
    space = blake2b(owner.encode(), digest_size=6).hexdigest()
    fields = {name: getattr(draft, name) for name in Item.__struct_fields__}
    fields |= {"key": f"{IMPORTED}:{space}:{native_id}", "native_id": native_id, "role": "context"}
    return StoredItem(**fields, first_seen=now, last_seen=now, content_at=now, source=IMPORTED, seen_by={owner: []})
