"""Work that is due again and again."""

from __future__ import annotations

import asyncio

from xget_kernel.clock import Clock
from xget_kernel.errors import XGetError
from xget_processing.service.reading import ReadingService
from xget_telemetry.logs import get_logger

_logger = get_logger(__name__)


async def read_waiting(reading: ReadingService, clock: Clock, seconds: float, stop: asyncio.Event) -> None:
    """Every `seconds`, read what waits for parsers that may read again, until nothing is left."""
    while not stop.is_set():
        try:
            read = await reading.read_waiting()
        except XGetError as error:
            _logger.warning("waiting_pages_not_read", reason=error.detail)
            read = 0
        if not read:
            await _rest(clock, seconds, stop)


async def _rest(clock: Clock, seconds: float, stop: asyncio.Event) -> None:
    waits = [asyncio.ensure_future(clock.sleep(seconds)), asyncio.ensure_future(stop.wait())]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)
