"""Which tracer is in use: the process has tracing or not, and each part of it acts as one service."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final, TypeVar

from opentelemetry import trace

from xget_telemetry.metrics import Registry
from xget_telemetry.tracing.losses import Losses

T = TypeVar("T")

Make = Callable[[str], trace.Tracer]
"""Makes the tracer of a service."""


class Tracer:
    """Makes the spans of one service; `on` is False where the process does not trace."""

    __slots__ = ("_otel", "on", "service")

    def __init__(self, service: str, otel: trace.Tracer | None = None) -> None:
        self.service = service
        self.on = otel is not None
        self._otel = otel or trace.NoOpTracer()

    @property
    def otel(self) -> trace.Tracer:
        """OpenTelemetry's own tracer."""
        return self._otel

    @contextmanager
    def acting(self) -> Iterator[None]:
        """Within the block, and in asyncio tasks begun there, spans belong to this service."""
        token = _ACTING.set(self)
        try:
            yield
        finally:
            _ACTING.reset(token)


_OFF: Final = Tracer("")
_ACTING: ContextVar[Tracer] = ContextVar("xget_tracer", default=_OFF)
_MAKE: ContextVar[Make | None] = ContextVar("xget_tracing", default=None)
_LOSSES: ContextVar[Losses | None] = ContextVar("xget_tracing_losses", default=None)


def current() -> Tracer:
    """The tracer of the part that runs now."""
    return _ACTING.get()


def of(service: str) -> Tracer:
    """The tracer of a service in this process; one that is off outside of `configured`."""
    make = _MAKE.get()
    return Tracer(service, make(service) if make else None)


def count_losses(registry: Registry, service: str) -> None:
    """Let `registry` count the spans of a service that cannot be sent; nothing outside of `configured`."""
    losses = _LOSSES.get()
    if losses is not None:
        losses.count(registry, service)


@contextmanager
def making(make: Make, service: str | None, losses: Losses) -> Iterator[None]:
    """Within the block tracers are made by `make`, and what runs acts as `service`."""
    token, counted = _MAKE.set(make), _LOSSES.set(losses)
    try:
        with (of(service) if service else _OFF).acting():
            yield
    finally:
        _LOSSES.reset(counted)
        _MAKE.reset(token)


async def acting_as(service: str, work: Awaitable[T]) -> T:
    """Do `work` as a service, in this asyncio task."""
    with of(service).acting():
        return await work
