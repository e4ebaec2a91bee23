"""A circuit breaker for one peer: after several failures in a row it refuses at once, then lets single calls try.

The states are purgatory's. Two things are ours: time comes from a `Clock` that never goes back (purgatory asks the wall
clock, which may be set), and of the calls that arrive half-open only one goes through.
State lives in the process: after a crash every breaker begins closed.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, Literal

from purgatory.domain.model import Context

from xget_kernel.clock import Clock, SystemClock
from xget_kernel.errors import Unavailable

State = Literal["closed", "half-open", "open"]
_STATES: Final[dict[str, State]] = {"closed": "closed", "half-opened": "half-open", "opened": "open"}

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
        self._context = Context(peer, threshold, math.inf)
        self._until = 0.0
        self._probing = False
        self._told: State = "closed"

    @property
    def state(self) -> State:
        """`open` until the rest is over and a call probes; `closed` again when a probe is answered."""
        return _STATES[self._context.state]

    @property
    def retry_after(self) -> int:
        """Whole seconds until a call may try, at least 1."""
        return max(1, math.ceil(self._until - self._clock.monotonic()))

    def trouble(self) -> str | None:
        """None while closed, else a sentence for readiness."""
        if self.state == "closed":
            return None
        return f"{self.peer} does not answer; it is tried again every {self._rest:.0f} seconds or so."

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Run one call; raises CircuitOpen (503 with Retry-After) instead when the peer rests."""
        probe = self._enter()
        try:
            yield
        except asyncio.CancelledError:
            raise  # says nothing about the peer
        except self._failures as error:
            self._failed(error)
            raise
        except BaseException:
            self._context.handle_end_request()
            raise
        else:
            self._context.handle_end_request()
        finally:
            if probe:
                self._probing = False
            self._tell()

    async def rested(self) -> None:
        """Return when a call may try again; at once unless the breaker is open."""
        while self.state == "open" and (left := self._until - self._clock.monotonic()) > 0:
            await self._clock.sleep(left)
        while self._probing:
            await self._clock.sleep(self._rest / 20)

    def _enter(self) -> bool:
        if self.state == "open" and self._clock.monotonic() >= self._until:
            self._context.ttl = -math.inf
            self._context.handle_new_request()
            self._context.ttl = math.inf
            self._tell()
        if self.state == "closed":
            return False
        if self.state == "open" or self._probing:
            raise CircuitOpen(
                f"{self.peer} does not answer; try again in {self.retry_after} s.",
                headers={"Retry-After": str(self.retry_after)},
            )
        self._probing = True
        return True

    def _failed(self, error: BaseException) -> None:
        before = self.state
        self._context.handle_exception(error)
        if self.state == "open" and before != "open":
            self._until = self._clock.monotonic() + self._rest * random.uniform(0.8, 1.2)

    def _tell(self) -> None:
        self._context.messages.clear()
        if self.state != self._told:
            self._told = self.state
            if self._on_change:
                self._on_change(self._told)
