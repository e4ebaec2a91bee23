"""A new index from the documents, put in the old one's place while everybody goes on searching and writing.

1. The new index is made. In one step the write alias goes, and the old and the new index get write aliases of their
   own: writers are refused, look again and write to both from then on. What was written before that step stands in
   the documents, which are read after it; so nothing is missed, and versions keep the newest of both.
2. The documents are read by key, deletions included. The last key is remembered after each piece.
3. In one step both aliases go to the new index alone; then the old one is deleted.
Killed anywhere, the old index serves on with all that is written, and the next rebuild goes on at the remembered key.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

from elasticsearch import ApiError

from xget_storage.adapters.elastic_search import indexes
from xget_storage.adapters.elastic_search.connection import Connection, away
from xget_storage.adapters.elastic_search.documents import deletion_lines, item_lines
from xget_storage.adapters.elastic_search.layout import SETTINGS, Names, fits
from xget_storage.adapters.elastic_search.lock import Lock
from xget_storage.adapters.elastic_search.writing import BulkWriter, NoTarget
from xget_storage.errors import RebuildRunning
from xget_storage.models import StoredItem
from xget_storage.service.analysis import Analyzer
from xget_telemetry.metrics import Registry

_GRACE_SECONDS: Final = 1.0
"""Searches that asked the old index a moment ago get their answers from it."""


@asynccontextmanager
async def rebuilding(connection: Connection, names: Names, analyzer: Analyzer) -> AsyncIterator[ElasticRebuild]:
    """A rebuild behind the aliases. Raises RebuildRunning (409), SearchAway (503)."""
    lock = Lock(connection, names.state)
    await lock.acquire()
    try:
        rebuild = ElasticRebuild(connection, names, analyzer, lock)
        await rebuild.begin()
        yield rebuild
    finally:
        await lock.release()


class ElasticRebuild:
    """`Rebuild` on Elasticsearch; see the port for what each method promises."""

    def __init__(self, connection: Connection, names: Names, analyzer: Analyzer, lock: Lock) -> None:
        self._connection = connection
        self._names = names
        self._analyzer = analyzer
        self._lock = lock
        self._writer = BulkWriter(connection, Registry(), refresh=False)

    @property
    def after(self) -> str | None:
        return self._lock.state.after

    async def begin(self) -> None:
        """Continue what the last rebuild left, or make a new index that everybody writes to as well."""
        found = await self._find()
        if found.serving is None:
            found = await self._connection.plain(lambda: indexes.prepare(self._connection.client, self._names))
        if self._continues(found):
            return
        await self._clean(found)
        name = self._names.index(found.next_number())
        await self._lock.change(index=name, after=None)
        await self._connection.plain(
            lambda: indexes.create(self._connection.client, name, (), {"refresh_interval": "-1"})
        )
        serving = found.serving or ""
        await self._alias(
            {"remove": {"index": serving, "alias": self._names.write, "must_exist": False}},
            {"add": {"index": serving, "alias": self._names.old}},
            {"add": {"index": name, "alias": self._names.new}},
        )

    async def take(self, found: Mapping[str, StoredItem | int]) -> None:
        items = [item for item in found.values() if isinstance(item, StoredItem)]
        gone = {key: rev for key, rev in found.items() if isinstance(rev, int)}
        try:
            for lines in (item_lines(items, self._analyzer), deletion_lines(gone)):
                await self._writer.write(lines, [self._names.new])
        except NoTarget as error:
            raise _taken_over() from error
        if found:
            await self._lock.change(after=list(found)[-1])

    async def finish(self) -> None:
        new = self._lock.state.index or ""
        client = self._connection.client
        await self._lock.change()
        await self._connection.plain(
            lambda: client.indices.put_settings(
                index=new, settings={"index.refresh_interval": SETTINGS["refresh_interval"]}
            )
        )
        await self._connection.plain(lambda: client.indices.refresh(index=new))
        found = await self._find()
        if new not in found.behind(self._names.new):
            raise _taken_over()
        old = [name for name in found.indexes if name != new]
        await self._alias(
            *({"remove": {"index": name, "alias": alias}} for name in old for alias in _aliases(found, name)),
            {"remove": {"index": new, "alias": self._names.new}},
            {"add": {"index": new, "alias": self._names.read}},
            {"add": {"index": new, "alias": self._names.write}},
        )
        await self._lock.change(index=None, after=None)
        await asyncio.sleep(_GRACE_SECONDS)
        await self._delete(old)

    def _continues(self, found: indexes.Found) -> bool:
        name = self._lock.state.index
        begun = name is not None and found.behind(self._names.new) == [name]
        return begun and found.serving != name and fits(found.indexes[name or ""].get("mappings", {}))

    async def _clean(self, found: indexes.Found) -> None:
        """Delete what rebuilds before left: indexes of ours that nobody searches."""
        await self._delete([name for name in found.indexes if name != found.serving])

    async def _delete(self, names: list[str]) -> None:
        ours = [name for name in names if self._names.number(name) is not None]
        if ours:
            await self._connection.plain(
                lambda: self._connection.client.indices.delete(index=ours, ignore_unavailable=True)
            )

    async def _find(self) -> indexes.Found:
        return await self._connection.plain(lambda: indexes.find(self._connection.client, self._names))

    async def _alias(self, *actions: dict[str, Any]) -> None:
        try:
            await self._connection.plain(lambda: self._connection.client.indices.update_aliases(actions=list(actions)))
        except ApiError as error:
            raise away(f"cannot change the aliases ({error.status_code} {error.error})") from error


def _aliases(found: indexes.Found, name: str) -> list[str]:
    given = found.indexes[name].get("aliases", {})
    return [alias for alias in found.names.aliases if alias in given]


def _taken_over() -> RebuildRunning:
    return RebuildRunning("Somebody else took over this rebuild.")
