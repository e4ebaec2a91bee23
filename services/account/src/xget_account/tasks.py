"""Periodic work of the account worker."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass

from xget_kernel.clock import Clock
from xget_telemetry.logs import get_logger

log = get_logger(__name__)


@dataclass(frozen=True)
class Job:
    """Something that is done again and again."""

    name: str
    every: float
    """Seconds between the end of one run and the begin of the next."""
    work: Callable[[], Awaitable[object]]


async def periodically(job: Job, clock: Clock, stop: asyncio.Event) -> None:
    """Do a job until `stop`; one that fails is tried again at its next turn."""
    while not stop.is_set():
        try:
            await job.work()
        except Exception as error:  # noqa: BLE001 - the next turn may succeed, and other jobs go on
            log.warning("job_failed", job=job.name, reason=type(error).__name__, detail=str(error)[:300])
        await _pause(job.every, clock, stop)


async def unless(stop: asyncio.Event, work: Coroutine[object, object, object]) -> None:
    """Do `work`, cut short when `stop` is set."""
    stopping, working = asyncio.create_task(stop.wait()), asyncio.create_task(work)
    try:
        await asyncio.wait({stopping, working}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            working.result()
    finally:
        for task in (stopping, working):
            task.cancel()
        await asyncio.gather(stopping, working, return_exceptions=True)


async def _pause(seconds: float, clock: Clock, stop: asyncio.Event) -> None:
    stopping, sleeping = asyncio.create_task(stop.wait()), asyncio.create_task(clock.sleep(seconds))
    try:
        await asyncio.wait({stopping, sleeping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (stopping, sleeping):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
