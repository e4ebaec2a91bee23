"""Work that is due again and again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from xget_kernel.clock import Clock
from xget_kernel.errors import XGetError
from xget_telemetry.logs import get_logger

log = get_logger(__name__)

Work = Callable[[], Coroutine[Any, Any, int]]
"""Does what is due and gives how much that was."""


async def repeat(name: str, work: Work, seconds: float, clock: Clock, stop: asyncio.Event) -> None:
    """Do what is due, again at once as long as there is some, else every `seconds`; ends when `stop` is set."""
    while not stop.is_set():
        try:
            done = await _until(stop, work())
        except XGetError as error:
            log.warning("task_failed", task=name, reason=error.detail)
            done = 0
        if not done:
            await _until(stop, clock.sleep(seconds))


async def _until(stop: asyncio.Event, work: Coroutine[Any, Any, Any]) -> int:
    """Run `work`, cut short when `stop` is set."""
    running, stopped = asyncio.create_task(work), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({running, stopped}, return_when=asyncio.FIRST_COMPLETED)
        return (running.result() or 0) if running.done() else 0
    finally:
        for task in (running, stopped):
            task.cancel()
        await asyncio.gather(running, stopped, return_exceptions=True)
