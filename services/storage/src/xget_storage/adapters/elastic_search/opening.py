"""The first look at the engine: what has to be there is made, and what cannot work is said.

A service starts without its search: it looks again in the background, and nothing is asked of the engine before it was
found fit. A command that is about search waits a while, then refuses.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Final

from elasticsearch import ApiError

from xget_kernel.errors import StartupError
from xget_storage.adapters.elastic_search.connection import PEER, Connection, away
from xget_storage.errors import SearchAway
from xget_telemetry.logs import get_logger

_logger = get_logger(__name__)

OPENING_SECONDS: Final = 10.0
AGAIN_SECONDS: Final = 2.0


class Opening:
    """Calls `prepare` once with an engine that answers and fits."""

    def __init__(self, connection: Connection, prepare: Callable[[], Awaitable[None]]) -> None:
        self._connection = connection
        self._prepare = prepare
        self._looking: asyncio.Task[None] | None = None

    async def now(self) -> None:
        """Wait for the engine for `OPENING_SECONDS`. Raises StartupError."""
        loop = asyncio.get_running_loop()
        until = loop.time() + OPENING_SECONDS
        while True:
            try:
                return await self._attempt()
            except SearchAway as error:
                if loop.time() > until:
                    raise StartupError(self._connection.absent(error)) from error
            await asyncio.sleep(0.25)

    async def soon(self) -> None:
        """Look once; when the engine is away, say so and look on in the background.

        Raises StartupError for an engine that answers and cannot be used.
        """
        try:
            await self._attempt()
        except SearchAway as error:
            self._tell(self._connection.absent(error))
            self._looking = asyncio.create_task(self._until_there(), name="wait for search")

    async def close(self) -> None:
        """Look no more; twice is fine."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)

    async def _attempt(self) -> None:
        try:
            async with asyncio.timeout(OPENING_SECONDS):
                await self._connection.attempt(self._prepare)
        except TimeoutError as error:
            raise away("does not answer in time") from error
        except ApiError as error:
            raise away(f"answers {error.status_code} ({error.error})") from error

    async def _until_there(self) -> None:
        while self._connection.unfit:
            await asyncio.sleep(AGAIN_SECONDS * random.uniform(0.8, 1.2))
            try:
                await self._attempt()
            except SearchAway as error:
                self._tell(self._connection.absent(error))
            except StartupError as error:
                self._tell(str(error))
            except Exception as error:
                _logger.exception("search_not_judged")
                self._tell(f"{PEER} at {self._connection.shown} cannot be judged ({error!r}): look into this log.")
            else:
                self._connection.unfit = ""
                _logger.warning("search_is_back", engine=self._connection.shown)

    def _tell(self, sentence: str) -> None:
        """Log what is wrong when it changes; who searches, and readiness, get it as it is."""
        if sentence != self._connection.unfit:
            self._connection.unfit = sentence
            _logger.warning("search_is_away", reason=sentence, hint="everything else goes on; search catches up")
