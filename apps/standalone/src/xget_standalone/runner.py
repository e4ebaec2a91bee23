"""`xget up`: everything in one process, started in order, drained in order."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import signal
import sys
from collections.abc import Awaitable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx2 as httpx
import msgspec

from xget_events.log import EventLog
from xget_events.opening import open_event_log
from xget_events.topics import load_topics
from xget_kernel import collector
from xget_kernel.clock import SystemClock
from xget_kernel.errors import StartupError
from xget_kernel.settings import ServiceSettings
from xget_standalone.gateway.app import Gateway, create_gateway
from xget_standalone.gateway.config import GatewayConfig, default_path, load
from xget_standalone.home import Home
from xget_standalone.services import OFFSETS, Addresses, apps, settings_of, workers
from xget_standalone.starting import check_trust, explained, first_refusal
from xget_telemetry.logs import configure, get_logger
from xget_web.auth import TokenVerifier
from xget_web.serve import serve

log = get_logger(__name__)
START_SECONDS = 60.0
WORKER_DRAIN_SECONDS = 7.0
SERVER_DRAIN_SECONDS = 2.5
BANNER = (
    "OPEN MODE: whoever can reach {url} is the administrator, without a password.\n"
    "           Only this machine's loopback address is served. Do not forward this port."
)


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What the user asked for."""

    port_base: int = 8000
    home: Path | None = None
    host: str = "127.0.0.1"
    open_mode: bool = False
    log_level: str = "warning"


async def run(options: Options) -> int:
    """Run until SIGINT or SIGTERM; returns the exit code. Raises StartupError before anything is served."""
    check_trust(os.environ)
    addresses = _addresses(options)
    config = load(Path(os.environ.get("XGET_KONG_CONFIG") or default_path()))
    configure("xget", json=True, level=options.log_level)
    with Home(options.home or Path(os.environ.get("XGET_HOME") or ".xget")) as home:
        return await _Process(options, addresses, config, home.path).run()


def _addresses(options: Options) -> Addresses:
    if not 1 <= options.port_base <= 64000:
        raise StartupError("--port-base must be between 1 and 64000, since services and gRPC listen above it.")
    if options.open_mode and not _is_loopback(options.host):
        raise StartupError("--open only works on a loopback address: use --host 127.0.0.1, or log in instead.")
    return Addresses(options.host, options.port_base)


def _is_loopback(host: str) -> bool:
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


class _Process:
    def __init__(self, options: Options, addresses: Addresses, config: GatewayConfig, home: Path) -> None:
        self._options = options
        self._addresses = addresses
        self._config = config
        self._home = home
        self._drain = asyncio.Event()
        self._close = asyncio.Event()

    async def run(self) -> int:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._drain.set)
        events = open_event_log(ServiceSettings(home=self._home))
        try:
            with explained():
                await events.create_topics(load_topics())
            return await self._serve(events)
        finally:
            await events.close()

    async def _serve(self, events: EventLog) -> int:
        clock = SystemClock()
        settings = settings_of(self._addresses, self._home, open_mode=self._options.open_mode)
        working = workers(settings, events, clock)
        host, addresses = self._addresses.host, self._addresses
        servers = [
            self._task(f"serve {name}", serve(app, host, addresses.port(name), self._close))
            for name, app in apps(settings, events, clock).items()
        ]
        gateway = create_gateway(self._gateway(clock))
        servers.append(self._task("serve gateway", serve(gateway, host, addresses.base, self._close)))
        jobs: list[asyncio.Task[None]] = []
        try:
            if await self._until(servers, self._all_ready()):
                jobs = [self._task(f"work {name}", worker.run(self._drain)) for name, worker in working.items()]
                collector.calm()
                self._announce()
                await self._until([*servers, *jobs], self._drain.wait())
        finally:
            await self._stop(jobs, servers)
        return self._outcome([*servers, *jobs], started=bool(jobs))

    def _gateway(self, clock: SystemClock) -> Gateway:
        return Gateway(
            self._config,
            upstream=self._addresses.url,
            verifier=TokenVerifier(f"{self._addresses.url('auth')}/.well-known/jwks.json", clock=clock),
            clock=clock,
            open_mode=self._options.open_mode,
            ready=self._not_ready,
        )

    def _task(self, name: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        return asyncio.create_task(work, name=name)

    async def _until(self, tasks: list[asyncio.Task[None]], event: Awaitable[Any]) -> bool:
        """Wait for `event`; False when a stop was asked for or one of `tasks` ended before it."""
        waiting = asyncio.ensure_future(event)
        drain = asyncio.create_task(self._drain.wait())
        await asyncio.wait([*tasks, waiting, drain], return_when=asyncio.FIRST_COMPLETED)
        done = waiting.done() and waiting.exception() is None and not self._drain.is_set()
        for task in (waiting, drain):
            task.cancel()
        await asyncio.gather(waiting, drain, return_exceptions=True)
        return done

    async def _all_ready(self) -> None:
        async with asyncio.timeout(START_SECONDS):
            while await self._not_ready():  # noqa: ASYNC110 - services answer over HTTP, there is no event
                await asyncio.sleep(0.05)

    async def _not_ready(self) -> list[str]:
        async with httpx.AsyncClient(timeout=5.0, trust_env=False) as client:
            names = list(OFFSETS)
            found = await asyncio.gather(*(self._ask(client, name) for name in names))
        return [f"{name}: {reason}" for name, reason in zip(names, found, strict=True) if reason]

    async def _ask(self, client: httpx.AsyncClient, service: str) -> str | None:
        try:
            answer = await client.get(f"{self._addresses.url(service)}/readyz")
        except httpx.HTTPError:
            return "does not answer"
        return None if answer.is_success else answer.text[:300]

    def _announce(self) -> None:
        url = self._addresses.gateway
        if self._options.open_mode:
            print(BANNER.format(url=url), file=sys.stderr, flush=True)  # noqa: T201 - a command line speaks by printing
        print(f"xget ready: {url} home {self._home}", flush=True)  # noqa: T201 - the one ready line

    async def _stop(self, jobs: list[asyncio.Task[None]], servers: list[asyncio.Task[None]]) -> None:
        """Workers first, while the services they call still answer; then the servers."""
        self._drain.set()
        await _finish(jobs, WORKER_DRAIN_SECONDS)
        self._close.set()
        await _finish(servers, SERVER_DRAIN_SECONDS)

    def _outcome(self, tasks: list[asyncio.Task[None]], *, started: bool) -> int:
        refusal = first_refusal(tasks, started=started)
        if refusal is not None:
            raise refusal
        code = 0
        for task in tasks:
            error = None if task.cancelled() else task.exception()
            if error is not None:
                log.error("part_failed", part=task.get_name(), exc_info=error)
                print(f"xget: {task.get_name()} failed: {error}", file=sys.stderr)  # noqa: T201 - the last word
                code = 1
        return code


async def _finish(tasks: list[asyncio.Task[None]], seconds: float) -> None:
    """Give tasks time to end by themselves, then cancel what is left."""
    if not tasks:
        return
    _, pending = await asyncio.wait(tasks, timeout=seconds)
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
