"""Which services and workers there are and what each needs: the only place that knows all of them.

Their code is loaded by name, so that a process holds only what it runs.
"""

from __future__ import annotations

import asyncio
import os
from importlib import import_module
from pathlib import Path
from typing import Any, Final, Protocol, cast

import msgspec
from fastapi import FastAPI

from xget_events.log import EventLog
from xget_kernel.clock import Clock
from xget_kernel.engines import Concern
from xget_kernel.settings import GRPC_OFFSET, ServiceSettings
from xget_standalone.measuring import measure_engines
from xget_telemetry import tracing
from xget_telemetry.metrics import Registry
from xget_web.state import WebState

WORKER_OFFSET: Final = 100
"""A worker's health port above its service's."""


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A service: its port above the gateway's, and the concerns that its server and its worker use."""

    offset: int
    serves: tuple[Concern, ...]
    works: tuple[Concern, ...] = ()
    announces: bool = True
    """Whether its server takes an event log."""


PARTS: Final[dict[str, Part]] = {
    "auth": Part(offset=1, serves=("tables",), announces=False),
    "account": Part(offset=4, serves=("tables", "events"), works=("tables", "events")),
    "proxy": Part(offset=5, serves=("tables",), works=("tables", "events")),
    "scraper": Part(offset=3, serves=("tables", "events"), works=("tables", "events")),
    "processing": Part(offset=6, serves=("tables",), works=("tables", "events")),
    "storage": Part(offset=7, serves=("documents", "search"), works=("documents", "search", "events")),
}
OFFSETS: Final = {name: part.offset for name, part in PARTS.items()}
WORKERS: Final = tuple(name for name, part in PARTS.items() if part.works)
"""Services that have a worker."""


class Worker(Protocol):
    """Something that works until it is told to stop."""

    metrics: Registry
    """What it measures."""

    begun: asyncio.Event
    """Set when it has all that it needs and works."""

    async def run(self, stop: Any) -> None:
        """Work until the event `stop` is set, then finish what is in hand."""

    def degraded(self) -> dict[str, str]:
        """What works less well now, as sentences by what they are about: a concern, or the name of a peer."""


class Addresses(msgspec.Struct, frozen=True):
    """Where everything of this process listens."""

    host: str
    base: int

    @property
    def reach(self) -> str:
        """Address by which this process reaches itself."""
        return reachable(self.host)

    def port(self, service: str) -> int:
        """HTTP port of a service."""
        return self.base + OFFSETS[service]

    def url(self, service: str) -> str:
        """Base URL of a service."""
        return f"http://{self.reach}:{self.port(service)}"

    @property
    def gateway(self) -> str:
        """Base URL of the gateway."""
        return f"http://{self.reach}:{self.base}"


def reachable(host: str) -> str:
    """By which address something that listens on `host` is reached from this machine, as a part of a URL."""
    return {"0.0.0.0": "127.0.0.1", "::": "[::1]", "::1": "[::1]"}.get(host, host)


def settings_class(service: str) -> type[ServiceSettings]:
    """The settings of a service."""
    return cast("type[ServiceSettings]", import_module(f"xget_{service}.settings").Settings)


def settings_of(addresses: Addresses, home: Path, *, open_mode: bool) -> dict[str, Any]:
    """Settings of every service; a service's URL in the environment wins over the port table."""
    urls = {
        f"{name}_service_url": addresses.url(name)
        for name in OFFSETS
        if not os.environ.get(f"{name.upper()}_SERVICE_URL")
    }
    # One process on a home: after a kill the next one goes on where it was, without waiting for a lease.
    member = os.environ.get("XGET_MEMBER") or "node"
    made = {}
    for name in PARTS:
        port = addresses.port(name)
        ports = {"port": port, "grpc_port": port + GRPC_OFFSET}
        own = {"home": home, "host": addresses.host, "open_mode": open_mode, "member": member}
        made[name] = settings_class(name)(**own, **ports, **urls)
    return made


def make_app(service: str, settings: ServiceSettings, log: EventLog | None, clock: Clock) -> FastAPI:
    """The HTTP (and gRPC) side of a service."""
    given = {"log": log} if PARTS[service].announces else {}
    app = cast("FastAPI", import_module(f"xget_{service}.app").create_app(settings, clock=clock, **given))
    measure_engines(registry_of(app), settings, [*PARTS[service].serves, *PARTS[service].works])
    return app


def make_worker(
    service: str, settings: ServiceSettings, log: EventLog, clock: Clock, metrics: Registry | None = None
) -> Worker:
    """What works behind a service; `metrics` is where it measures, if it shares a process with the service."""
    create = import_module(f"xget_{service}.worker").create_worker
    worker = cast("Worker", create(settings, log=log, clock=clock, metrics=metrics))
    tracing.count_losses(worker.metrics, f"{service}-worker")
    if metrics is None:
        measure_engines(worker.metrics, settings, PARTS[service].works)
    return worker


def registry_of(app: FastAPI) -> Registry:
    """What the app's `/metrics` shows."""
    return cast("WebState", app.state.xget_web).registry
