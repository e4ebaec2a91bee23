"""Search in the target, built anew from the documents that the target has by then."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from xget_standalone.migration.progress import Progress, Watch
from xget_standalone.migration.report import Line
from xget_storage.adapters.stores import Stores
from xget_storage.ports import ItemFilter, SearchQuery
from xget_storage.service.rebuilding import RebuildService


class SearchStep:
    """Builds the index. A run that was killed goes on where the index says."""

    def __init__(self, opened: Callable[[], Awaitable[Stores]]) -> None:
        self.line = Line(concern="search", name="index")
        self._opened = opened

    async def measure(self) -> None:
        """What is in the documents of the target, which have moved by then."""

    async def move(self, progress: Progress, watch: Watch) -> None:
        mark = progress.mark("search")
        if not mark.done:
            stores = await self._opened()
            rebuild = RebuildService(stores.documents, stores.search)
            await rebuild.run(lambda told: watch("search", told.items + told.deletions, told.total))
            mark.done, mark.moved = True, await self._visible()
            progress.save()
        self.line.source = self.line.moved = mark.moved

    async def verify(self, watch: Watch) -> None:
        """Every item by number, and the index's own count."""
        self.line.source = await self._visible()
        stores = await self._opened()
        found = (await stores.search.search(SearchQuery(size=1))).total
        if found != self.line.source:
            self.line.differs(f"{found} found, {self.line.source} stored")
        self.line.verified = not self.line.problems
        watch("verify search", found, self.line.source)

    async def _visible(self) -> int:
        stores = await self._opened()
        return (await stores.documents.find(ItemFilter(), 1)).total
