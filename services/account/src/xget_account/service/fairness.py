"""Who comes first of those who wait."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from xget_account.repository import Wish
from xget_kernel.clock import Clock

HALF_LIFE: Final = 60.0
"""Seconds after which what somebody was given weighs half."""
_MOST: Final = 4096


class Fairness:
    """Immediate ones first, then by priority, then who was served least of late, then who asked first."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._scores: dict[tuple[str, str], tuple[float, float]] = {}

    def served(self, wish: Wish) -> None:
        """A wish was granted."""
        now = self._clock.monotonic()
        for who in _parties(wish):
            self._scores[who] = (self._score(who, now) + 1, now)
        if len(self._scores) > _MOST:
            self._scores = {who: kept for who, kept in self._scores.items() if self._score(who, now) > 1 / 16}

    def ranked(self, wishes: Sequence[Wish]) -> list[int]:
        """Numbers of the wishes, which come by age, in the order in which they are to be served."""
        now = self._clock.monotonic()
        urgent = [(not wish.immediate, wish.priority) for wish in wishes]
        tasks = self._shares([(*key, *_parties(wish)[1]) for key, wish in zip(urgent, wishes, strict=True)], now)
        by_task = sorted(range(len(wishes)), key=lambda n: (urgent[n], tasks[n], n))
        requesters = self._shares([(*urgent[n], *_parties(wishes[n])[0]) for n in by_task], now)
        place = {n: (urgent[n], share, tasks[n], n) for n, share in zip(by_task, requesters, strict=True)}
        return sorted(by_task, key=place.__getitem__)

    def _shares(self, parties: Sequence[tuple[bool, int, str, str]], now: float) -> list[float]:
        """What each was served of late; the second wish of somebody counts as if his first were granted already."""
        ahead: Counter[tuple[bool, int, str, str]] = Counter()
        shares = []
        for who in parties:
            shares.append(round(self._score(who[2:], now) + ahead[who], 3))
            ahead[who] += 1
        return shares

    def _score(self, who: tuple[str, str], now: float) -> float:
        score, at = self._scores.get(who, (0.0, now))
        return float(score * 0.5 ** ((now - at) / HALF_LIFE))


def _parties(wish: Wish) -> tuple[tuple[str, str], tuple[str, str]]:
    requester = wish.requester_id or wish.owner_id
    return (requester, ""), (requester, wish.task_id or wish.holder)
