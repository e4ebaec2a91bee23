"""A circuit breaker for one peer: after several failures in a row it refuses at once, then lets single calls try.

Why not a library: ADR 0010. State lives in the process: after a crash every breaker begins closed.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, Literal

from xget_kernel.clock import Clock, SystemClock
from xget_kernel.errors import Unavailable

State = Literal["closed", "half-open", "open"]

THRESHOLD: Final = 5
REST_SECONDS: Final = 2.0


class CircuitOpen(Unavailable):
    """The peer failed several times in a row; nothing was sent to it."""

    code = "circuit_open"


class Breaker:
    """Guards the calls to `peer`, as it is named in sentences: "The account service".

    `failures` are the exceptions that count against the peer; any other exception shows that it answers. After
    `threshold` failures in a row calls are refused for about `rest` seconds (±20 %, so that processes do not probe in
    step), then one call at a time probes. `on_change` is told each new state.
    """

    def __init__(
        self,
        peer: str,
        *,
        failures: tuple[type[BaseException], ...],
        threshold: int = THRESHOLD,
        rest: float = REST_SECONDS,
        clock: Clock | None = None,
        on_change: Callable[[State], None] | None = None,
    ) -> None:
        self.peer = peer
        self._failures = failures
        self._rest = rest
        self._clock = clock or SystemClock()
        self._on_change = on_change
        self._threshold = threshold
        self._failed = 0
        self._until = 0.0
        self._probing = False
        self._state: State = "closed"

    @property
    def state(self) -> State:
        """`open` until the rest is over and a call probes; `closed` again when a probe is answered."""
        return self._state

    @property
    def seconds_left(self) -> float:
        """Until the rest is over; 0 when a call may try."""
        return max(0.0, self._until - self._clock.monotonic()) if self._state == "open" else 0.0

    @property
    def retry_after(self) -> int:
        """Whole seconds until a call may try, at least 1."""
        return max(1, math.ceil(self.seconds_left))

    def trouble(self) -> str | None:
        """A sentence for readiness while calls are refused, else None: when the rest is over the next call may try."""
        if not self.seconds_left:
            return None
        return f"{self.peer} does not answer; it is tried again in {self.retry_after} s."

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Run one call; raises CircuitOpen (503 with Retry-After) instead when the peer rests."""
        probe = self._enter()
        try:
            yield
        except asyncio.CancelledError:
            raise  # says nothing about the peer
        except self._failures:
            self._count_failure()
            raise
        except BaseException:
            self._count_answer()
            raise
        else:
            self._count_answer()
        finally:
            if probe:
                self._probing = False

    def _enter(self) -> bool:
        if self._state == "closed":
            return False
        if self._probing or self.seconds_left:
            raise CircuitOpen(
                f"{self.peer} does not answer; try again in {self.retry_after} s.",
                headers={"Retry-After": str(self.retry_after)},
            )
        self._become("half-open")
        self._probing = True
        return True

    def _count_failure(self) -> None:
        self._failed += 1
        if self._state == "half-open" or (self._state == "closed" and self._failed >= self._threshold):
            self._until = self._clock.monotonic() + self._rest * random.uniform(0.8, 1.2)
            self._become("open")

    def _count_answer(self) -> None:
        # An answer to a call that was sent before the breaker opened is old news.
        if self._state != "open":
            self._failed = 0
            self._become("closed")

    def _become(self, state: State) -> None:
        if state != self._state:
            self._state = state
            if self._on_change:
                self._on_change(state)
