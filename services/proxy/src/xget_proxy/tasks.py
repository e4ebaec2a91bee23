"""Work that is due again and again."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from xget_kernel.clock import Clock
from xget_kernel.errors import XGetError
from xget_proxy.service import CheckService
from xget_telemetry.logs import get_logger

log = get_logger(__name__)


async def recheck_paused(checks: CheckService, seconds: float, clock: Clock, stop: asyncio.Event) -> None:
    """Every `seconds`, try the proxies whose pause is over; ends at once when `stop` is set."""
    while not stop.is_set():
        try:
            await _until(stop, checks.recheck())
        except XGetError as error:
            log.warning("proxy_recheck_failed", reason=error.detail)
        await _until(stop, clock.sleep(seconds))


async def _until(stop: asyncio.Event, work: Coroutine[Any, Any, object]) -> None:
    """Run `work`, cut short when `stop` is set."""
    running, stopped = asyncio.create_task(work), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({running, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            running.result()
    finally:
        for task in (running, stopped):
            task.cancel()
        await asyncio.gather(running, stopped, return_exceptions=True)
