"""What comes at the same moment is done in one transaction: the wait for the disk is shared."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Generic, TypeVar

MOST: Final = 128
Ask = TypeVar("Ask")
Answer = TypeVar("Answer")


class Batcher(Generic[Ask, Answer]):
    """Nobody waits for company: a batch is what came while the one before was being done."""

    def __init__(self, work: Callable[[Sequence[Ask]], Awaitable[Sequence[Answer | Exception]]]) -> None:
        self._work = work
        self._waiting: deque[tuple[Ask, asyncio.Future[Answer]]] = deque()
        self._running: asyncio.Task[None] | None = None

    async def ask(self, ask: Ask) -> Answer:
        """The answer to `ask`. Raises the exception that `work` gives for it, or that ends the whole batch."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((ask, answer))
        if self._running is None or self._running.done():
            # A task of its own: who asked first may be cancelled, and the others must not go with it.
            self._running = asyncio.create_task(self._run())
        return await answer

    async def _run(self) -> None:
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(MOST, len(self._waiting)))]
            try:
                answers = await self._work([ask for ask, _ in batch])
            except Exception as error:  # noqa: BLE001 - each of those who wait is told
                answers = [error] * len(batch)
            for (_, future), answer in zip(batch, answers, strict=True):
                _settle(future, answer)


def _settle(future: asyncio.Future[Answer], answer: Answer | Exception) -> None:
    if future.done():
        return
    if isinstance(answer, Exception):
        future.set_exception(answer)
    else:
        future.set_result(answer)
