"""One making of a value at a time, shared by all who ask for it in this process."""

from __future__ import annotations

import asyncio

from xget_cache.ports import Make


class SingleFlight:
    """Runs `make` once per key for everybody who waits for it at that time."""

    def __init__(self) -> None:
        self._running: dict[str, asyncio.Task[bytes]] = {}

    async def run(self, key: str, make: Make) -> bytes:
        """The value or the exception of the one run.

        Who is cancelled while waiting does not take the others' value away; the run goes on without listeners too.
        """
        task = self._running.get(key)
        if task is None:
            task = self._running[key] = asyncio.ensure_future(make())
            task.add_done_callback(lambda done: self._forget(key, done))
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Cancel what still runs."""
        running = list(self._running.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _forget(self, key: str, done: asyncio.Task[bytes]) -> None:
        del self._running[key]
        if not done.cancelled():
            done.exception()  # read, so that a failure nobody waited for is not reported by the loop
