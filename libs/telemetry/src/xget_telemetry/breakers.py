"""Circuit breakers as a metric."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from xget_kernel.breaker import Breaker, State
from xget_telemetry.metrics import Registry, Spec

BREAKER_STATE: Final = Spec(
    "xget_breaker_state", "The way from this process to a peer: 0 closed, 1 half-open, 2 open.", ("peer",)
)
_NUMBERS: Final[dict[State, int]] = {"closed": 0, "half-open": 1, "open": 2}


def watch_breakers(registry: Registry, breakers: Callable[[], Iterable[Breaker]]) -> None:
    """Let each scrape read the state of all `breakers` of a part of the process.

    Parts that share a registry are shown together: where several have a way to one peer, the worst of them.
    """

    async def read() -> Mapping[tuple[str, ...], float]:
        return {(breaker.peer,): _NUMBERS[breaker.state] for breaker in breakers()}

    registry.sampled(BREAKER_STATE, read, beside=True)
