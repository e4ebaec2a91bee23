"""`xget cluster`: starts one process per service and worker, keeps them running, stops them in order."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from xget_kernel.errors import StartupError
from xget_kernel.settings import ServiceSettings
from xget_standalone.choices import addresses_of, check_tables, home_of, warn_of_open_mode
from xget_standalone.cluster.child import Child
from xget_standalone.cluster.plan import STATE_FILE, Plan, Spec, parse_replicas, plan
from xget_standalone.gateway.config import load_chosen
from xget_standalone.home import Home
from xget_standalone.services import Addresses
from xget_standalone.starting import check_trust

START_SECONDS: Final = 90.0
WORKER_SECONDS: Final = 10.0
SERVER_SECONDS: Final = 4.0


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What the user asked for. `program` is the command line that starts `xget`."""

    program: Sequence[str]
    port_base: int = 8000
    home: Path | None = None
    host: str = "127.0.0.1"
    open_mode: bool = False
    replicas: str = ""
    log_level: str = "warning"


async def run(options: Options, environ: Mapping[str, str]) -> int:
    """Run until SIGINT or SIGTERM; returns the exit code. Raises StartupError when a process refuses to start."""
    check_trust(environ)
    check_tables(ServiceSettings())
    addresses = addresses_of(options.host, options.port_base, open_mode=options.open_mode)
    load_chosen()
    with Home(home_of(options.home), shared=True) as home:
        planned = plan(
            addresses,
            home.path,
            program=options.program,
            replicas=parse_replicas(options.replicas),
            open_mode=options.open_mode,
            log_level=options.log_level,
            environ=environ,
        )
        return await Supervisor(planned, addresses, home.path, open_mode=options.open_mode).run()


class Supervisor:
    """Holds the processes. `<home>/cluster.json` tells their pids and ports, `<home>/logs/` has what they say."""

    def __init__(self, planned: Plan, addresses: Addresses, home: Path, *, open_mode: bool) -> None:
        self._addresses = addresses
        self._home = home
        self._open_mode = open_mode
        self._drain = asyncio.Event()
        self._logs = home / "logs"
        self._services, self._workers = self._children(planned.services), self._children(planned.workers)
        self._gateway = self._children([planned.gateway])
        self._running: list[asyncio.Task[None]] = []

    async def run(self) -> int:
        """Start all, wait for a signal, stop all."""
        self._logs.mkdir(exist_ok=True, mode=0o700)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._drain.set)
        try:
            for group in (self._services, self._workers, self._gateway):
                await self._start(group)
            if not self._drain.is_set():
                self._announce()
            await self._drain.wait()
        finally:
            await self._stop()
        return 0

    async def _start(self, group: list[Child]) -> None:
        if self._drain.is_set():
            return
        self._running += [asyncio.create_task(child.run(), name=child.spec.name) for child in group]
        ready = asyncio.create_task(_all_ready(group))
        drain = asyncio.create_task(self._drain.wait())
        await asyncio.wait({ready, drain}, timeout=START_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        for waiting in (ready, drain):
            waiting.cancel()
        await asyncio.gather(ready, drain, return_exceptions=True)
        refused = next((child for child in group if child.refusal), None)
        if refused is not None:
            raise StartupError(f"{refused.spec.name}: {refused.refusal}")
        late = [child.spec.name for child in group if not child.ready.is_set()]
        if late and not self._drain.is_set():
            raise StartupError(
                f"{', '.join(late)} did not get ready in {START_SECONDS:.0f} s: look into {self._logs}, then retry."
            )

    async def _stop(self) -> None:
        """Workers first, while the services they call still answer; then gateway and services."""
        self._drain.set()
        await asyncio.gather(*(child.stop(WORKER_SECONDS) for child in self._workers))
        await asyncio.gather(*(child.stop(SERVER_SECONDS) for child in [*self._gateway, *self._services]))
        await asyncio.gather(*self._running, return_exceptions=True)

    def _children(self, specs: list[Spec]) -> list[Child]:
        return [Child(spec, self._logs / f"{spec.name}.log", self._write, self._tell) for spec in specs]

    def _write(self) -> None:
        """Who runs where, replaced in one step."""
        known = [*self._services, *self._workers, *self._gateway]
        state = {c.spec.name: {"pid": c.pid, "port": c.spec.port, "starts": c.starts} for c in known}
        draft = self._home / f".cluster.{os.getpid()}"
        with suppress(OSError):
            draft.write_text(json.dumps(state, indent=1))
            draft.replace(self._home / STATE_FILE)

    def _tell(self, sentence: str) -> None:
        if not self._drain.is_set():
            print(f"xget: {sentence}", file=sys.stderr, flush=True)  # noqa: T201 - a command line speaks by printing

    def _announce(self) -> None:
        url = self._addresses.gateway
        if self._open_mode:
            warn_of_open_mode(url)
        print(f"xget cluster ready: {url} home {self._home}", flush=True)  # noqa: T201 - the one ready line


async def _all_ready(group: list[Child]) -> bool:
    for child in group:
        await child.ready.wait()
        if child.refusal:
            return False
    return True
