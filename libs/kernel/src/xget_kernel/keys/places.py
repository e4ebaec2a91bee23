"""Where the data keys of a service lie: in a file that processes share, or in its tables (`xget_db.data_keys`)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from xget_kernel.errors import StartupError
from xget_kernel.keys.content import KeyFile, KeysUnavailable
from xget_kernel.keys.store import KeyStore
from xget_kernel.keys.wrapping import Wrapping


class Place(Protocol):
    """Keeps keys."""

    @property
    def name(self) -> str:
        """`file` or `table`; in tables each service has keys of its own."""

    @property
    def wrapping(self) -> Wrapping:
        """What wraps them."""

    @property
    def trouble(self) -> str | None:
        """Why its newest state could not be taken."""

    @property
    def followed(self) -> bool:
        """Whether it is looked at from time to time, because looking at each encryption would wait."""

    async def read(self) -> KeyFile:
        """What lies there. Raises KeysUnavailable (503)."""

    async def change(self, how: Callable[[KeyFile], KeyFile]) -> None:
        """Replace it by what `how`, called in a thread, makes of it, with nobody else changing it meanwhile.

        Raises KeysUnavailable (503).
        """


class InFile:
    """The file of a `KeyStore`."""

    name = "file"

    def __init__(self, store: KeyStore) -> None:
        self.store = store

    @property
    def wrapping(self) -> Wrapping:
        return self.store.wrapping

    @property
    def trouble(self) -> str | None:
        return self.store.trouble or self.store.gone

    @property
    def followed(self) -> bool:
        return self.store.wrapping.elsewhere

    async def read(self) -> KeyFile:
        try:
            return await asyncio.to_thread(self.store.read)
        except StartupError as error:
            raise KeysUnavailable(str(error)) from error

    async def change(self, how: Callable[[KeyFile], KeyFile]) -> None:
        await asyncio.to_thread(self.store.change, how)
