"""`xget up`: everything in one process, started in order, drained in order."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec

from xget_cache.house import CacheHouse
from xget_cache.opening import open_cache
from xget_db.migrations import upgrade
from xget_events.log import EventLog
from xget_events.opening import open_event_log
from xget_kernel import collector
from xget_kernel.clock import SystemClock
from xget_kernel.errors import StartupError
from xget_kernel.settings import ServiceSettings
from xget_standalone.choices import addresses_of, check_tables, home_of, warn_of_open_mode
from xget_standalone.gateway.app import Gateway, create_gateway
from xget_standalone.gateway.config import GatewayConfig, load_chosen
from xget_standalone.gateway.readiness import Readiness
from xget_standalone.home import Home
from xget_standalone.key_check import check_keys
from xget_standalone.process import Process
from xget_standalone.services import PARTS, WORKERS, Addresses, Worker, make_app, make_worker, registry_of, settings_of
from xget_standalone.starting import check_trust, explained
from xget_standalone.topics import create_topics
from xget_telemetry import tracing
from xget_telemetry.logs import configure
from xget_web.tokens import JWKS_PATH, TokenVerifier, leeway_of

START_SECONDS = 60.0


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
    addresses = addresses_of(options.host, options.port_base, open_mode=options.open_mode)
    config = load_chosen()
    configure("xget", json=True, level=options.log_level)
    with Home(home_of(options.home)) as home, tracing.configured():
        return await _Node(options, addresses, config, home.path).run()


class _Node:
    def __init__(self, options: Options, addresses: Addresses, config: GatewayConfig, home: Path) -> None:
        self._options = options
        self._addresses = addresses
        self._config = config
        self._home = home
        self._process = Process()
        self._working: dict[str, Worker] = {}
        self._readiness = Readiness({name: addresses.url(name) for name in PARTS}, self._missed)

    async def run(self) -> int:
        await self._process.listen()
        common = ServiceSettings(home=self._home)
        check_tables(common)
        common.refuse_lies()
        if not common.is_real("tables"):
            await check_keys(common)
        async with AsyncExitStack() as stack:
            events = open_event_log(common)
            stack.push_async_callback(events.close)
            with explained():
                if common.is_real("tables"):  # else every service would wait for a silent server in turn
                    await asyncio.to_thread(upgrade, common.tables("auth"), "xget_auth")
                    await check_keys(common)
                await create_topics(events, common)
            house = await open_cache(common)
            stack.push_async_callback(house.close)
            return await self._serve(events, house)

    async def _serve(self, events: EventLog, house: CacheHouse) -> int:
        clock, process = SystemClock(), self._process
        settings = settings_of(self._addresses, self._home, open_mode=self._options.open_mode)
        apps = {name: make_app(name, settings[name], events, clock) for name in PARTS}
        self._working = {n: make_worker(n, settings[n], events, clock, registry_of(apps[n])) for n in WORKERS}
        host, addresses = self._addresses.host, self._addresses
        for name, app in apps.items():
            process.serve(name, app, host, addresses.port(name))
        gateway = self._gateway(clock, house, leeway_of(settings["auth"]))
        process.serve("gateway", create_gateway(gateway), host, addresses.base)
        started = False
        try:
            if await process.until(self._all_ready()):
                started = True
                for name, worker in self._working.items():
                    process.work(name, worker)
                collector.calm()
                self._announce()
                await process.until(process.drain.wait())
        finally:
            await process.stop()
        return process.outcome(started=started)

    def _gateway(self, clock: SystemClock, house: CacheHouse, leeway: float) -> Gateway:
        return Gateway(
            self._config,
            upstream=self._addresses.url,
            verifier=TokenVerifier(f"{self._addresses.url('auth')}{JWKS_PATH}", clock=clock, leeway=leeway),
            house=house,
            open_mode=self._options.open_mode,
            ready=self._readiness.found,
        )

    def _missed(self) -> dict[str, Iterable[str]]:
        return {f"{name}-worker": worker.degraded().values() for name, worker in self._working.items()}

    async def _all_ready(self) -> None:
        try:
            async with asyncio.timeout(START_SECONDS):
                while await self._readiness.reasons():  # noqa: ASYNC110 - services answer over HTTP, there is no event
                    await asyncio.sleep(0.05)
        except TimeoutError as error:
            raise StartupError(
                f"The services were not ready within {START_SECONDS:.0f} s: start again with --log-level info, which "
                "tells what they wait for."
            ) from error

    def _announce(self) -> None:
        url = self._addresses.gateway
        if self._options.open_mode:
            warn_of_open_mode(url)
        print(f"xget ready: {url} home {self._home}", flush=True)  # noqa: T201 - the one ready line
