"""The index that finds items by their text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from xget_contracts.items import Struct
from xget_storage.models import StoredItem
from xget_storage.ports.documents import ItemFilter

Sort = Literal["relevance", "newest", "oldest"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchQuery:
    """`text` as typed (None = everything), narrowed by `wanted`."""

    text: str | None = None
    wanted: ItemFilter = field(default_factory=ItemFilter)
    sort: Sort = "relevance"
    size: int = 20
    after: Sequence[Any] | None = None
    """`SearchPage.cursor` of the piece before."""


class SearchPage(Struct, kw_only=True):
    """Keys in order, how many match in all, and counts per value of `lang`, `author` and `day` over all matches."""

    keys: list[str]
    total: int
    facets: dict[str, dict[str, int]]
    cursor: list[Any] | None


class Rebuild(Protocol):
    """A search index that is being built again."""

    @property
    def after(self) -> str | None:
        """The last key that it has; None at the beginning."""

    async def take(self, found: Mapping[str, StoredItem | int]) -> None:
        """Take over documents as `DocumentStore.scan` gives them, in that order. Raises RebuildRunning (409)."""

    async def finish(self) -> None:
        """All of the documents were given: serve what they made, and nothing else but what was indexed meanwhile."""


class SearchIndex(Protocol):
    """Finds items by their text. Derived: it may lag, be lost, and be built again from the documents."""

    async def index(self, items: Sequence[StoredItem]) -> None:
        """Take over visible items; one whose `rev` is older than what the index has (or deleted) is ignored."""

    async def delete(self, revs: dict[str, int]) -> None:
        """Forget items; older revisions that arrive later are ignored."""

    async def search(self, query: SearchQuery) -> SearchPage:
        """Never raises for any text. Raises Invalid (422) for a cursor that is not its own."""

    def rebuilding(self) -> AbstractAsyncContextManager[Rebuild]:
        """Build the index again while searches and writes of any process go on; one rebuild at a time.

        Left without `finish`, or killed, what was there serves on and the next rebuild continues. Raises
        RebuildRunning (409).
        """

    async def close(self) -> None:
        """Release files and threads; twice is fine."""
