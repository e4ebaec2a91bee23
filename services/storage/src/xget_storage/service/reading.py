"""Lists, searches and exports."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Final

from xget_contracts.items import Struct
from xget_kernel.errors import FieldError
from xget_kernel.pages import PageQuery, bad_cursor, decode_cursor, encode_cursor
from xget_storage.errors import BadFilter
from xget_storage.models import ItemView, Sighted, StoredItem, view
from xget_storage.ports import DocumentStore, ItemFilter, SearchIndex, SearchQuery
from xget_storage.service.analysis import Analyzer, searchable
from xget_storage.service.highlights import highlight
from xget_storage.service.queries import ParsedQuery, parse_query

_STREAM_PIECE: Final = 500
_MOST_SNIPPETS: Final = 3
_MOST: Final = 2**31 - 1
"""What a count may be."""


class ItemList(Struct, kw_only=True, omit_defaults=False):
    """A piece of a list; `page`, `total` and `pages` are null when it was asked for by cursor."""

    items: list[ItemView]
    page: int | None
    size: int
    total: int | None
    pages: int | None
    next_cursor: str | None


class SearchResult(Struct, kw_only=True, omit_defaults=False):
    """A piece of what was found; `total` and `facets` (value → count) cover all of it."""

    items: list[ItemView]
    next_cursor: str | None
    total: int
    facets: dict[str, dict[str, int]]


class SightedList(Struct, kw_only=True):
    """A piece of a task's list; `matched` of the `total` answer the task."""

    items: list[ItemView]
    next_cursor: str | None
    total: int
    matched: int


class ReadService:
    """Use cases of reading many items. Owners see their own; `owner` None in a filter sees all."""

    def __init__(self, documents: DocumentStore, index: SearchIndex, analyzer: Analyzer) -> None:
        self._documents = documents
        self._index = index
        self._analyzer = analyzer

    async def find(self, wanted: ItemFilter, page: PageQuery, cursor: str | None) -> ItemList:
        """Newest first, by page or after a cursor. Raises BadFilter (422), Invalid (422) for a foreign cursor."""
        if wanted.role is not None and wanted.task_id is None and wanted.execution_id is None:
            message = "role says how an item stands to a task: give task_id or execution_id too."
            raise BadFilter(message, errors=[FieldError("role", "needs_task", message)])
        after = None if cursor is None else decode_cursor(cursor)
        offset = 0 if cursor is not None else page.offset
        found = await self._documents.find(wanted, page.size, offset=offset, after=after)
        return ItemList(
            items=[view(item, wanted.owner) for item in found.items],
            page=None if cursor is not None else page.page,
            size=page.size,
            total=None if cursor is not None else found.total,
            pages=None if cursor is not None else page.pages(found.total),
            next_cursor=None if found.cursor is None else encode_cursor(found.cursor),
        )

    async def try_search(self) -> None:
        """Raise what a search would raise now."""
        await self._index.search(SearchQuery(size=1, wanted=ItemFilter(owner="")))

    async def search(self, query: SearchQuery, cursor: str | None, *, highlights: bool) -> SearchResult:
        """Items by text. Raises Invalid (422) for a foreign cursor; no text is an error."""
        after = None if cursor is None else decode_cursor(cursor)
        found = await self._index.search(replace(query, after=after))
        items = await self._documents.load(found.keys)
        owner = query.wanted.owner
        parsed = parse_query(query.text or "", self._analyzer)
        shown = [items[key] for key in found.keys if key in items and _visible(items[key], owner)]
        return SearchResult(
            items=[
                view(item, owner, highlights=self._highlights(item, parsed)) if highlights else view(item, owner)
                for item in shown
            ],
            next_cursor=None if found.cursor is None else encode_cursor(found.cursor),
            total=found.total,
            facets=found.facets,
        )

    def _highlights(self, item: StoredItem, parsed: ParsedQuery) -> list[str]:
        found: list[str] = []
        for part in searchable(item):
            found += highlight(part, parsed, self._analyzer)
        return found[:_MOST_SNIPPETS]

    async def sighted(self, wanted: ItemFilter, size: int, cursor: str | None) -> SightedList:
        """Items of a task or execution, oldest sighting first, each once. Raises Invalid (422) for a foreign cursor.

        Counts are those of the first piece, which the cursor carries: to count again for each piece would cost more
        than the piece.
        """
        after, counts = _place(cursor)
        found = await self._documents.sighted(wanted, size, after=after, counted=counts is None)
        total, matched = counts or (found.total, found.matched)
        return SightedList(
            items=[_sighted_view(one, wanted.owner) for one in found.items],
            next_cursor=None if found.cursor is None else encode_cursor([found.cursor, total, matched]),
            total=total,
            matched=matched,
        )

    async def stream(self, wanted: ItemFilter) -> AsyncIterator[list[ItemView]]:
        """All of them in pieces, in the same order."""
        after: int | None = 0
        while after is not None:
            found = await self._documents.sighted(wanted, _STREAM_PIECE, after=after, counted=False)
            if found.items:
                yield [_sighted_view(one, wanted.owner) for one in found.items]
            after = found.cursor


def _visible(item: StoredItem, owner: str | None) -> bool:
    return owner is None or owner in item.seen_by


def _sighted_view(one: Sighted, owner: str | None) -> ItemView:
    return view(one.item, owner, role=one.role, execution_id=one.execution_id, seen_at=one.seen_at)


def _place(cursor: str | None) -> tuple[int, tuple[int, int] | None]:
    """Where a piece begins, and the counts of its list where they are known."""
    if not cursor:
        return 0, None
    match decode_cursor(cursor):
        case [int(seq)] if seq >= 0:
            return seq, None  # as the release before wrote them
        case [int(seq), int(total), int(matched)] if seq >= 0 and 0 <= matched <= total <= _MOST:
            return seq, (total, matched)
    raise bad_cursor()
