"""The keys of a process that keeps secrets."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Final

from xget_kernel.ids import is_id
from xget_kernel.keys.content import DataKey, KeyFile, KeysFixed, KeysUnavailable
from xget_kernel.keys.kek import KekTrouble
from xget_kernel.keys.places import Place
from xget_kernel.keys.wrapping import Wrapping
from xget_kernel.secrets import Keyring, NotPickled

FOLLOW_SECONDS: Final = 1.0
"""How soon a key that another process added is known where looking takes a request."""
HEAD_START_SECONDS: Final = 2.5
"""A new key encrypts there from so long after it was made: until then all processes know it."""
RENEW_SECONDS: Final = 20.0
PATIENCE_SECONDS: Final = 30.0
"""A key that could not be looked for so long counts as gone, so that what else is there goes on."""


class Keys(NotPickled):
    """A keyring and, unless the environment fixes its keys, the place behind it."""

    def __init__(self, ring: Keyring, place: Place | None = None) -> None:
        self.ring = ring
        self.place = place
        self._unread: str | None = None
        self._unrenewed: str | None = None
        self._file: KeyFile | None = None
        self._held: Mapping[str, bytes] = {}
        self._missed: dict[str, float] = {}
        self._gone: set[str] = set()
        self._wake: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def kind(self) -> str:
        """`environment`, `file` or `table`."""
        return self.place.name if self.place else "environment"

    @property
    def wraps_with(self) -> str | None:
        """Name of the key-encryption key, None where there is none."""
        return self.place.wrapping.name if self.place else None

    @property
    def trouble(self) -> str | None:
        """What is wrong with where the keys come from, while those of before go on."""
        return self._unread or self._unrenewed or (self.place.trouble if self.place else None)

    async def told(self) -> list[DataKey]:
        """The keys without their bytes, oldest first, then those that are retired. Raises KeysUnavailable (503)."""
        newest = self.ring.newest
        if self.place is None:
            return [DataKey(key_id, "env", key_id == newest) for key_id in self.ring.ids]
        told = (await self.place.read()).told()
        return [DataKey(k.id, k.wrapped_by, k.id == newest, k.retired_at) for k in told]

    async def add(self) -> str:
        """Add a newest key, which encrypts on return. Raises KeysFixed (409), KeysUnavailable (503)."""
        place, added = self._placed(), list[str]()

        def with_one(file: KeyFile) -> KeyFile:
            key_id, more = place.wrapping.with_new(file)
            added.append(key_id)
            return more

        await place.change(with_one)
        if self._wake is not None:
            await asyncio.sleep(HEAD_START_SECONDS)
        await self.look()
        return added[-1]

    async def rewrap(self) -> int:
        """Wrap all keys by the newest key-encryption key; how many were not. Raises as `add`."""
        place, done = self._placed(), list[int]()

        def wrapped_anew(file: KeyFile) -> KeyFile:
            late, made = place.wrapping.rewrapped(file)
            done.append(late)
            return made if late else file

        await place.change(wrapped_anew)
        await self.look()
        return done[-1]

    async def retire(self, ids: Collection[str]) -> None:
        """Take keys away that can be brought back. Raises as `add`, KeyInUse (409) for the newest."""
        await self._placed().change(lambda file: file.retiring(ids, datetime.now(UTC)))
        await self.look()

    async def restore(self, ids: Collection[str]) -> None:
        """Bring retired keys back. Raises as `add`, NoSuchKey (404)."""
        await self._placed().change(lambda file: file.restoring(ids))
        await self.look()

    async def forget(self, ids: Collection[str]) -> None:
        """Drop retired keys for ever. Raises as `add`."""
        await self._placed().change(lambda file: file.forgetting(ids))

    @asynccontextmanager
    async def following(self) -> AsyncIterator[None]:
        """For the length of the block, take up keys that others add, and renew the right to unwrap them."""
        if self.place is None or not self.place.followed:
            yield  # otherwise each encryption looks at the file
            return
        self._wake, self._loop = asyncio.Event(), asyncio.get_running_loop()
        self.ring.watch(None, self._late)
        await self.look()
        task = asyncio.create_task(self._follow(self.place.wrapping, self._wake))
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            self._wake = None

    async def look(self) -> None:
        """Take up what lies in the place now. What fails is `trouble`, tried again."""
        if self.place is None:
            return
        missed = set(self._missed)
        try:
            file = await self.place.read()
            if file != self._file:
                self._held = await asyncio.to_thread(self.place.wrapping.opened, file)
                self._file = file
        except (KekTrouble, KeysUnavailable) as error:
            self._unread = str(error)
            return
        self._unread = None
        self.put()
        self.give_up(missed - set(self._held))

    def put(self) -> None:
        """Work with the keys that were found, the newest whose time has come at their end."""
        now = time.time()
        settled = [k for k in self._held if self._wake is None or _age(k, now) >= HEAD_START_SECONDS]
        newest = settled[-1] if settled else next(iter(self._held))
        if (*self.ring.ids[:-1], newest) != (*(k for k in self._held if k != newest), newest):
            self.ring.put({**{k: v for k, v in self._held.items() if k != newest}, newest: self._held[newest]})
        self._gone -= set(self._held)

    def give_up(self, ids: Collection[str]) -> None:
        """Take these keys as not there: what they wrote cannot be opened."""
        self._gone |= set(ids)
        for key_id in ids:
            self._missed.pop(key_id, None)

    def _late(self, key_id: str) -> bool:
        """Whether a lacking key may only not have been looked for yet; then it is."""
        if key_id in self._gone:
            return False
        since = self._missed.setdefault(key_id, time.monotonic())
        if time.monotonic() - since > PATIENCE_SECONDS:
            return False
        if self._wake is not None and self._loop is not None:
            self._loop.call_soon_threadsafe(self._wake.set)  # who decrypts may be in a thread of a database
        return True

    async def _follow(self, wrapping: Wrapping, wake: asyncio.Event) -> None:
        renewed = time.monotonic()
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(wake.wait(), FOLLOW_SECONDS)
            wake.clear()
            await self.look()
            if time.monotonic() - renewed >= RENEW_SECONDS:
                await self.renew()
                renewed = time.monotonic()

    async def renew(self) -> None:
        """Prolong the right to the key-encryption key; what fails is `trouble`."""
        kek = self._placed().wrapping.kek
        try:
            if kek is not None:
                await asyncio.to_thread(kek.refresh)
        except KekTrouble as error:
            self._unrenewed = str(error)
        else:
            self._unrenewed = None

    def _placed(self) -> Place:
        if self.place is None:
            raise KeysFixed(
                "XGET_KEYS fixes the keys: add `id:base64` of a new one at its end, start the services "
                "anew, then rotate."
            )
        return self.place


def _age(key_id: str, now: float) -> float:
    """Seconds since an id was made; what tells no time is old."""
    return now - int(key_id[:8] + key_id[9:13], 16) / 1000 if is_id(key_id) else float("inf")
