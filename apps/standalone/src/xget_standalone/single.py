"""`xget serve SERVICE` and `xget worker SERVICE`: one part of XGet in a process of its own."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

import msgspec

from xget_events.opening import open_event_log
from xget_kernel import collector
from xget_kernel.clock import SystemClock
from xget_kernel.errors import StartupError
from xget_kernel.keys import KeySettings
from xget_kernel.settings import GRPC_OFFSET, ServiceSettings
from xget_standalone.choices import check_open, home_of, warn_of_open_mode
from xget_standalone.home import Home
from xget_standalone.key_check import check_keys
from xget_standalone.process import Process, check_port
from xget_standalone.services import PARTS, WORKER_OFFSET, WORKERS, make_app, make_worker, reachable, settings_class
from xget_standalone.starting import check_trust, explained
from xget_standalone.watching import Watch, watching_app
from xget_telemetry import tracing
from xget_telemetry.logs import configure

GATEWAY: Final = "gateway"
SETTLE_SECONDS: Final = 0.3
"""How often a worker that starts is asked whether its engines answer; it is not called ready before."""


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What the user asked for; None leaves it to the environment."""

    service: str
    port: int | None = None
    home: Path | None = None
    host: str | None = None
    open_mode: bool = False
    log_level: str = "warning"


async def serve(options: Options) -> int:
    """Run a service, or the gateway, until SIGINT or SIGTERM; returns the exit code. Raises StartupError."""
    if options.service == GATEWAY:
        _prepare(options, GATEWAY)
        with tracing.configured(GATEWAY):
            return await _gateway(options)
    if options.service not in PARTS:
        raise StartupError(f"There is no service {options.service!r}: serve {_listed([*PARTS, GATEWAY])}.")
    _prepare(options, options.service)
    settings = _settings(options, options.port)
    settings.refuse_lies(PARTS[options.service].serves)
    with Home(settings.home, shared=True), tracing.configured(options.service):
        return await _service(options.service, settings)


async def work(options: Options) -> int:
    """Run a service's worker until SIGINT or SIGTERM; returns the exit code. Raises StartupError."""
    if options.service not in WORKERS:
        raise StartupError(f"There is no worker {options.service!r}: run {_listed(WORKERS)}.")
    _prepare(options, f"{options.service}-worker")
    settings = _settings(options, None)
    settings.refuse_lies(PARTS[options.service].works)
    with Home(settings.home, shared=True), tracing.configured(f"{options.service}-worker"):
        return await _worker(options, settings)


async def _service(name: str, settings: ServiceSettings) -> int:
    async with AsyncExitStack() as stack:
        log = None
        if "events" in PARTS[name].serves:
            log = open_event_log(settings)
            stack.push_async_callback(log.close)
        if isinstance(settings, KeySettings):
            await check_keys(settings)
        with explained():
            app = make_app(name, settings, log, SystemClock())
        return await _run(name, app, settings)


async def _run(name: str, app: Any, settings: ServiceSettings) -> int:
    process = Process()
    await process.listen()
    bound = process.serve(name, app, settings.host, settings.port)
    started = False
    try:
        if await process.until(bound):
            started = True
            _announce(name, settings, bound.result())
            await process.until(process.drain.wait())
    finally:
        await process.stop()
    return process.outcome(started=started)


async def _worker(options: Options, settings: ServiceSettings) -> int:
    name = f"{options.service}-worker"
    process, events = Process(), open_event_log(settings)
    await process.listen()
    started = False
    try:
        worker = make_worker(options.service, settings, events, SystemClock())
        job = process.work(name, worker)
        watch = Watch(
            settings,
            PARTS[options.service].works,
            job,
            begun=worker.begun,
            degraded=worker.degraded,
            trouble=lambda: events.trouble,
        )
        app = watching_app(watch, worker.metrics)
        bound = process.serve(name, app, settings.host, _worker_port(options))
        if await process.until(_settled(bound, watch)):
            started = True
            _announce(name, settings, bound.result())
            await process.until(process.drain.wait())
    finally:
        await process.stop()
        await events.close()
    return process.outcome(started=started)


async def _settled(bound: asyncio.Future[int], watch: Watch) -> None:
    await bound
    await asyncio.sleep(SETTLE_SECONDS)
    while (await watch.found()).reasons:  # noqa: ASYNC110 - engines are somewhere else, there is no event
        await asyncio.sleep(SETTLE_SECONDS)


async def _gateway(options: Options) -> int:
    from xget_standalone.gateway.serving import opened_gateway  # noqa: PLC0415 - services do without the gateway's code

    settings = _settings(options, options.port, ServiceSettings)
    async with opened_gateway(settings) as app:
        return await _run(GATEWAY, app, settings)


def _settings(
    options: Options, port: int | None, kind: Callable[..., ServiceSettings] | None = None
) -> ServiceSettings:
    given: dict[str, Any] = {"home": home_of(options.home)}
    if options.host is not None:
        given["host"] = options.host
    if options.open_mode:
        given["open_mode"] = True
    if port is not None:
        given |= {"port": port, "grpc_port": port + GRPC_OFFSET if port else 0}
    settings = (kind or settings_class(options.service))(**given)
    check_open(settings.host, open_mode=settings.open_mode)
    return settings


def _worker_port(options: Options) -> int:
    if options.port is not None:
        return options.port
    given = os.environ.get("XGET_WORKER_PORT") or str(8000 + PARTS[options.service].offset + WORKER_OFFSET)
    if not given.isdigit():
        raise StartupError(f"XGET_WORKER_PORT is {given!r}, which is no port: correct or unset it.")
    check_port(int(given), "XGET_WORKER_PORT")
    return int(given)


def _prepare(options: Options, name: str) -> None:
    check_trust(os.environ)
    if options.port is not None:
        check_port(options.port)
        if options.port > 65535 - GRPC_OFFSET:
            raise StartupError("--port must be below 64536, since gRPC listens 1000 above it.")
    configure(name, json=True, level=options.log_level)


def _announce(name: str, settings: ServiceSettings, port: int) -> None:
    url = f"http://{reachable(settings.host)}:{port}"
    collector.calm()
    if settings.open_mode and name == GATEWAY:
        warn_of_open_mode(url)
    print(f"xget {name} ready: {url}", flush=True)  # noqa: T201 - the one ready line


def _listed(names: Any) -> str:
    *most, last = names
    return f"{', '.join(most)} or {last}"


__all__ = ["GATEWAY", "Options", "serve", "work"]
