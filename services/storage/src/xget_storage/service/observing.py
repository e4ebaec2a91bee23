"""What was seen of an item over time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from xget_contracts.items import Gone, Metrics, Struct
from xget_kernel.caller import Caller
from xget_kernel.pages import decode_cursor, encode_cursor
from xget_storage.errors import no_such_item
from xget_storage.models import Revision, Role, Sighting, StoredItem
from xget_storage.ports import DocumentStore
from xget_storage.service.revising import all_versions, first_version

_FAR: Final = 2**53


class SightingView(Struct, kw_only=True, omit_defaults=False):
    """An item as one execution saw it first. `page_no` is where it answered the task, if it did."""

    seen_at: datetime
    task_id: str
    execution_id: str
    owner_id: str
    page_no: int
    role: Role
    metrics: Metrics


class VersionView(Struct, kw_only=True, omit_defaults=False):
    """A version of a post that was edited. What is not stored of yours has its key alone."""

    key: str
    latest: bool
    """No later one is known."""
    text: str | None
    created_at: datetime | None
    """As the platform tells it: some keep the first version's."""
    first_seen: datetime | None
    last_seen: datetime | None
    editable_until: datetime | None


class HistoryList(Struct, kw_only=True, omit_defaults=False):
    """A piece of an item's history, and what became of its text."""

    items: list[SightingView]
    next_cursor: str | None
    versions: list[VersionView]
    """All versions of an edited post with numbers of their own, this one too, oldest first; empty without an edit."""
    revisions: list[Revision]
    """Texts that it had before under this number, oldest first."""
    gone: Gone | None
    alive_at: datetime | None
    """With `gone`: last seen as it was."""
    gone_at: datetime | None
    """With `gone`: a stand-in was first seen."""


class ObservingService:
    """Use cases of looking at how an item was seen. Owners see what their own executions saw."""

    def __init__(self, documents: DocumentStore) -> None:
        self._documents = documents

    async def history(
        self, key: str, caller: Caller, size: int, *, newest: bool = True, cursor: str | None = None
    ) -> HistoryList:
        """Sightings by time. Raises ItemNotFound (404), Invalid (422) for a foreign cursor."""
        after = None if cursor is None else decode_cursor(cursor)
        found = await self._documents.history(key, caller.owner_filter, size, newest=newest, after=after)
        item = (await self._documents.load([key])).get(key)
        if item is None:
            raise no_such_item(key)
        versions = await self._versions(item, caller)
        return HistoryList(
            items=[_view(one) for one in found.items],
            next_cursor=None if found.cursor is None else encode_cursor(found.cursor),
            versions=[
                _version(one, stored, latest=place == len(versions)) for place, (one, stored) in enumerate(versions, 1)
            ],
            revisions=item.revisions,
            gone=item.gone,
            alive_at=item.alive_at,
            gone_at=item.gone_at,
        )

    async def superseded_by(self, item: StoredItem, caller: Caller) -> str | None:
        """The key of the latest version of a post; None when it is that itself."""
        versions = await self._versions(item, caller)
        return versions[-1][0] if versions and versions[-1][0] != item.key else None

    async def _versions(self, item: StoredItem, caller: Caller) -> list[tuple[str, StoredItem | None]]:
        """Keys of all versions of a post, oldest first, each with what is stored of the caller's."""
        if item.kind != "post":
            return []
        stored = await self._documents.versions(first_version(item) or item.key, caller.owner_filter)
        by_key = {one.key: one for one in [item, *stored]}
        return [(key, by_key.get(key)) for key in all_versions(by_key.values())]


def _version(key: str, item: StoredItem | None, *, latest: bool) -> VersionView:
    if item is None:
        return VersionView(
            key=key, latest=latest, text=None, created_at=None, first_seen=None, last_seen=None, editable_until=None
        )
    return VersionView(
        key=key,
        latest=latest,
        text=item.visible().text,
        created_at=item.created_at,
        first_seen=item.first_seen,
        last_seen=item.last_seen,
        editable_until=_editable_until(item),
    )


def _editable_until(item: StoredItem) -> datetime | None:
    until = item.extra["edit"].get("until_ms")
    return datetime.fromtimestamp(until / 1000, UTC) if isinstance(until, int) and 0 <= until < _FAR else None


def _view(one: Sighting) -> SightingView:
    return SightingView(
        seen_at=one.seen_at,
        task_id=one.task_id,
        execution_id=one.execution_id,
        owner_id=one.owner_id,
        page_no=one.page_no if one.match_page is None else one.match_page,
        role="context" if one.match_page is None else "match",
        metrics=one.metrics,
    )
