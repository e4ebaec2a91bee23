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

    def __init__(
        self,
        work: Callable[[Sequence[Ask]], Awaitable[Sequence[Answer | Exception]]],
        unwanted: Callable[[Answer], None] | None = None,
    ) -> None:
        self._work = work
        self._unwanted = unwanted
        self._waiting: deque[tuple[Ask, asyncio.Future[Answer]]] = deque()
        self._running: asyncio.Task[None] | None = None

    async def ask(self, ask: Ask) -> Answer:
        """The answer to `ask`. Raises the exception that `work` gives for it, or that ends the whole batch.

        Who is cancelled before his turn is left out; `unwanted` is given an answer that comes too late for him.
        """
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((ask, answer))
        if self._running is None or self._running.done():
            # A task of its own: who asked first may be cancelled, and the others must not go with it.
            self._running = asyncio.create_task(self._run())
        return await delivered(answer, self._unwanted)

    async def _run(self) -> None:
        while self._waiting:
            taken = [self._waiting.popleft() for _ in range(min(MOST, len(self._waiting)))]
            batch = [(ask, future) for ask, future in taken if not future.done()]
            if not batch:
                continue
            try:
                answers = await self._work([ask for ask, _ in batch])
            except Exception as error:  # noqa: BLE001 - each of those who wait is told
                answers = [error] * len(batch)
            for (_, future), answer in zip(batch, answers, strict=True):
                settle(future, answer, self._unwanted)


async def delivered(future: asyncio.Future[Answer], unwanted: Callable[[Answer], None] | None) -> Answer:
    """The result of `future`; when who waits is cancelled at the moment it is there, `unwanted` is given it."""
    try:
        return await future
    except asyncio.CancelledError:
        there = future.done() and not future.cancelled() and future.exception() is None
        if there and unwanted is not None:
            unwanted(future.result())
        raise


def settle(
    future: asyncio.Future[Answer], answer: Answer | Exception, unwanted: Callable[[Answer], None] | None = None
) -> None:
    """Tell who waits; an answer for one who has gone is given to `unwanted`."""
    if isinstance(answer, Exception):
        if not future.done():
            future.set_exception(answer)
    elif not future.done():
        future.set_result(answer)
    elif unwanted is not None:
        unwanted(answer)
