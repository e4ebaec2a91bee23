"""Answers that take a look at very many accounts, kept for a moment."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from xget_kernel.clock import Clock

MANY: Final = 10_000
"""So many accounts are looked at only now and then: a look takes 20 ms, at a million of them seconds."""
T = TypeVar("T")


@dataclass(eq=False)
class _Kept(Generic[T]):
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    answers: list[T] = field(default_factory=list)
    """The newest one, if there is one."""
    until: float = float("-inf")
    """Of the monotonic clock."""


class Remembered(Generic[T]):
    """One look for all who want to know the same; it answers those who come later, for as long as it says itself."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: dict[Hashable, _Kept[T]] = {}

    async def get(self, key: Hashable, look: Callable[[], Awaitable[T]], seconds: Callable[[T], float]) -> T:
        """What was seen last for this key, else what `look` gives now; that is kept for `seconds` of it.

        Zero keeps nothing. Whatever `look` raises is raised, and the next one looks.
        """
        now = self._clock.monotonic()
        self._kept = {name: kept for name, kept in self._kept.items() if kept.until > now or kept.turn.locked()}
        kept = self._kept.setdefault(key, _Kept())
        async with kept.turn:
            now = self._clock.monotonic()
            if kept.until > now:
                return kept.answers[0]
            answer = await look()
            kept.answers, kept.until = [answer], now + max(0.0, seconds(answer))
            return answer
