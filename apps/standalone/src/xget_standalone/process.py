"""What every process of ours is made of: servers and workers in one event loop, drained in order when it is to stop."""

from __future__ import annotations

import asyncio
import logging
import os
import resource
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final

from starlette.types import ASGIApp

from xget_kernel.errors import StartupError
from xget_standalone.services import Worker
from xget_standalone.starting import first_refusal
from xget_telemetry.logs import get_logger
from xget_telemetry.tracing import acting_as
from xget_web.serve import serve

log = get_logger(__name__)
WORKER_DRAIN_SECONDS: Final = 7.0
SERVER_DRAIN_SECONDS: Final = 2.5
LIFELINE: Final = "XGET_LIFELINE"
"""Set by a supervisor: drain when standard input ends, since then the supervisor has died."""


class Process:
    """The running parts of a process. Workers stop first, while the services that they call still answer."""

    def __init__(self) -> None:
        self.drain = asyncio.Event()
        self._close = asyncio.Event()
        self._servers: list[asyncio.Task[None]] = []
        self._jobs: list[asyncio.Task[None]] = []
        self._lifeline: asyncio.BaseTransport | None = None

    async def listen(self) -> None:
        """Drain on SIGINT and SIGTERM, and when the supervisor dies. A crash writes no core: it would hold the keys."""
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.drain.set)
        if os.environ.get(LIFELINE):
            self._lifeline, _ = await loop.connect_read_pipe(lambda: _Lifeline(self.drain), sys.stdin)

    def serve(self, name: str, app: ASGIApp, host: str, port: int) -> asyncio.Future[int]:
        """Begin to serve an app; gives the port when it answers."""
        bound: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        serving = serve(app, host, port, self._close, on_ready=_first_to(bound))
        self._servers.append(_task(f"serve {name}", acting_as(name, serving)))
        return bound

    def work(self, name: str, worker: Worker) -> asyncio.Task[None]:
        """Begin to work; its traces are those of the service `<name>-worker`."""
        service = f"{name.removesuffix('-worker')}-worker"
        self._jobs.append(_task(f"work {name}", acting_as(service, worker.run(self.drain))))
        return self._jobs[-1]

    async def until(self, event: Awaitable[Any]) -> bool:
        """Wait for `event`; False when a stop was asked for or a part ended before it. Raises what `event` raises."""
        waiting = asyncio.ensure_future(event)
        drain = asyncio.create_task(self.drain.wait())
        await asyncio.wait([*self._servers, *self._jobs, waiting, drain], return_when=asyncio.FIRST_COMPLETED)
        done = waiting.done() and not self.drain.is_set()
        failure = waiting.exception() if waiting.done() else None
        for task in (waiting, drain):
            task.cancel()
        await asyncio.gather(waiting, drain, return_exceptions=True)
        if failure is not None:
            raise failure
        return done

    async def stop(self) -> None:
        """Workers first, then the servers; what does not end in time is cancelled."""
        self.drain.set()
        await _finish(self._jobs, WORKER_DRAIN_SECONDS)
        self._close.set()
        await _finish(self._servers, SERVER_DRAIN_SECONDS)
        if self._lifeline is not None:
            self._lifeline.close()

    def outcome(self, *, started: bool) -> int:
        """The exit code once all has ended. Raises StartupError when a part could not start."""
        tasks = [*self._servers, *self._jobs]
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


class _Lifeline(asyncio.Protocol):
    def __init__(self, drain: asyncio.Event) -> None:
        self._drain = drain

    def connection_lost(self, error: Exception | None) -> None:
        self._drain.set()


def check_port(port: int, what: str = "--port") -> None:
    """Raise StartupError for a port that does not exist."""
    if not 0 <= port <= 65535:
        raise StartupError(f"{what} must be between 0 and 65535; 0 takes a free one.")


def _first_to(bound: asyncio.Future[int]) -> Callable[[int], None]:
    def answers(port: int) -> None:
        if not bound.done():  # who was to be stopped meanwhile no longer waits for it
            bound.set_result(port)

    return answers


def _task(name: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    return asyncio.create_task(work, name=name)


async def _finish(tasks: list[asyncio.Task[None]], seconds: float) -> None:
    """Give tasks time to end by themselves, then cancel what is left."""
    if not tasks:
        return
    _, pending = await asyncio.wait(tasks, timeout=seconds)
    for task in pending:
        task.cancel()
    # A connection that is cancelled while it closes is closed all the same: no news for anybody.
    logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL + 1)
    await asyncio.gather(*pending, return_exceptions=True)
