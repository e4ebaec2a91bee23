"""One rebuild at a time: a document that its holder keeps changing.

Who wants it and sees it changing stays away; when it has not changed for `LEASE_SECONDS`, its holder is dead and the
next one takes over. Every change names the version it replaces, so of two who try one wins, and a holder that was taken
for dead notices at its next change. No clocks are compared.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

import msgspec
from elasticsearch import BadRequestError, ConflictError, NotFoundError

from xget_kernel.errors import XGetError
from xget_storage.adapters.elastic_search.connection import Connection
from xget_storage.errors import RebuildRunning

LEASE_SECONDS: Final = 10.0
BEAT_SECONDS: Final = 2.0
_ID: Final = "rebuild"
_MAPPING: Final = {
    "dynamic": "strict",
    "properties": {
        "held": {"type": "boolean"},
        "beat": {"type": "long"},
        "index": {"type": "keyword"},
        "after": {"type": "keyword", "index": False, "doc_values": False},
    },
}


class State(msgspec.Struct):
    """What the document says."""

    held: bool = True
    beat: int = 0
    index: str | None = None
    """The index that is being built."""
    after: str | None = None
    """The last key that it has."""


class Lock:
    """The right to rebuild. `state` is what this holder last wrote."""

    def __init__(self, connection: Connection, index: str) -> None:
        self._connection = connection
        self._index = index
        self._version: dict[str, Any] = {}
        self._changing = asyncio.Lock()
        self._beating: asyncio.Task[None] | None = None
        self.state = State()

    async def acquire(self) -> None:
        """Take the lock, with what the last holder left in `state`. Raises RebuildRunning (409) when it is alive."""
        await self._make_index()
        found = await self._read()
        if found.held:
            await self._watch(found)
        self.state = found
        await self.change(held=True)
        self._beating = asyncio.create_task(self._beat())

    async def change(self, **fields: Any) -> None:
        """Write the state. Raises RebuildRunning (409) when somebody took over."""
        async with self._changing:
            changed = msgspec.structs.replace(self.state, beat=self.state.beat + 1, **fields)
            given: dict[str, Any] = self._version or {"op_type": "create"}
            try:
                answer = await self._connection.plain(
                    lambda: self._connection.client.index(
                        index=self._index, id=_ID, document=msgspec.to_builtins(changed), refresh=False, **given
                    )
                )
            except ConflictError as error:
                raise RebuildRunning("Somebody else took over this rebuild.") from error
            self._note(answer)
            self.state = changed

    async def release(self) -> None:
        """Let the next one have it at once; a lock that cannot be released ends by itself."""
        if self._beating is not None:
            self._beating.cancel()
            await asyncio.gather(self._beating, return_exceptions=True)
            try:
                await self.change(held=False)
            except XGetError:
                return

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            try:
                await self.change()
            except RebuildRunning:
                return  # the next change of the holder says so
            except XGetError:
                continue  # the engine is away: nobody else can take it either

    async def _watch(self, found: State) -> None:
        """Return when the holder gives no sign of life."""
        loop = asyncio.get_running_loop()
        until = loop.time() + LEASE_SECONDS
        while loop.time() < until:
            await asyncio.sleep(LEASE_SECONDS / 20)
            now = await self._read()
            if not now.held:
                found.beat = now.beat
                break
            if now.beat != found.beat:
                raise RebuildRunning("Somebody rebuilds this search index already: wait for its end.")

    async def _read(self) -> State:
        try:
            answer = await self._connection.plain(
                lambda: self._connection.client.get(index=self._index, id=_ID, realtime=True)
            )
        except NotFoundError:
            self._version = {}
            return State(held=False)
        self._note(answer)
        return msgspec.convert(answer["_source"], State)

    def _note(self, answer: Any) -> None:
        self._version = {"if_seq_no": answer["_seq_no"], "if_primary_term": answer["_primary_term"]}

    async def _make_index(self) -> None:
        try:
            await self._connection.plain(
                lambda: self._connection.client.indices.create(
                    index=self._index,
                    settings={"number_of_shards": 1, "auto_expand_replicas": "0-1", "hidden": True},
                    mappings=_MAPPING,
                    wait_for_active_shards=1,
                )
            )
        except BadRequestError as error:
            if error.error != "resource_already_exists_exception":
                raise
