"""The keys of a process that keeps secrets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from xget_kernel.keys.store import DataKey, KeysFixed, KeyStore
from xget_kernel.secrets import Keyring

FOLLOW_SECONDS: Final = 1.0
"""How soon a key that another process added is known where it is unwrapped by a request."""
RENEW_SECONDS: Final = 20.0


class Keys:
    """A keyring and, unless the environment fixes its keys, the store behind it."""

    def __init__(self, ring: Keyring, store: KeyStore | None = None) -> None:
        self.ring = ring
        self._store = store

    @property
    def wraps_with(self) -> str | None:
        """Name of the key-encryption key, None where there is none."""
        return self._store.wraps_with if self._store else None

    @property
    def trouble(self) -> str | None:
        """What is wrong with where the keys come from, while those of before go on."""
        return self._store.trouble if self._store else None

    async def told(self) -> list[DataKey]:
        """The keys without their bytes, oldest first."""
        if self._store is None:
            return [DataKey(key_id, "env", key_id == self.ring.newest) for key_id in self.ring.ids]
        return await asyncio.to_thread(self._store.told)

    async def add(self) -> str:
        """Add a newest key, which encrypts from now on. Raises KeysFixed (409), KeysUnavailable (503)."""
        store = self._stored()
        key_id = await asyncio.to_thread(store.add)
        await self._reread(store)
        return key_id

    async def rewrap(self) -> int:
        """Wrap all keys by the newest key-encryption key; how many were not. Raises as `add`."""
        store = self._stored()
        count = await asyncio.to_thread(store.rewrap)
        await self._reread(store)
        return count

    @asynccontextmanager
    async def following(self) -> AsyncIterator[None]:
        """For the length of the block, take up keys that others add, and renew the right to unwrap them."""
        if self._store is None or not self._store.elsewhere:
            yield  # otherwise each encryption looks at the file
            return
        task = asyncio.create_task(self._follow(self._store))
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _follow(self, store: KeyStore) -> None:
        loop = asyncio.get_running_loop()
        renewed = loop.time()
        while True:
            await asyncio.sleep(FOLLOW_SECONDS)
            await self._reread(store)
            if loop.time() - renewed >= RENEW_SECONDS:
                await asyncio.to_thread(store.renew)
                renewed = loop.time()

    async def _reread(self, store: KeyStore) -> None:
        if (keys := await asyncio.to_thread(store.changed)) is not None:
            self.ring.put(keys)

    def _stored(self) -> KeyStore:
        if self._store is None:
            raise KeysFixed(
                "XGET_KEYS fixes the keys: add `id:base64` of a new one at its end, start the services "
                "anew, then rotate."
            )
        return self._store
