"""What was seen of an item over time."""

from __future__ import annotations

from datetime import datetime

from xget_contracts.items import Metrics, Struct
from xget_kernel.caller import Caller
from xget_kernel.pages import decode_cursor, encode_cursor
from xget_storage.models import Role, Sighting
from xget_storage.ports import DocumentStore


class SightingView(Struct, kw_only=True, omit_defaults=False):
    """An item as one execution saw it first. `page_no` is where it answered the task, if it did."""

    seen_at: datetime
    task_id: str
    execution_id: str
    owner_id: str
    page_no: int
    role: Role
    metrics: Metrics


class HistoryList(Struct, kw_only=True, omit_defaults=False):
    """A piece of an item's history."""

    items: list[SightingView]
    next_cursor: str | None


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
        return HistoryList(
            items=[_view(one) for one in found.items],
            next_cursor=None if found.cursor is None else encode_cursor(found.cursor),
        )


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
