"""What storage does by itself, again and again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from typing import Final

from xget_kernel.clock import Clock
from xget_kernel.errors import XGetError
from xget_storage.ports import RawPageStore
from xget_storage.service.ingest import IndexService
from xget_telemetry.logs import get_logger

_logger = get_logger(__name__)
CATCH_UP_SECONDS: Final = 2.0
RETENTION_SECONDS: Final = 3600.0
TAKEDOWN_SECONDS: Final = 2.0


async def catch_up_search(indexing: IndexService) -> None:
    """Take over what people changed, if their own requests did not."""
    while await indexing.catch_up():
        pass


async def drop_old_pages(raw_pages: RawPageStore, clock: Clock, days: int) -> None:
    """Drop raw pages older than `days`; 0 keeps all."""
    if days:
        dropped = await raw_pages.drop_before(clock.now() - timedelta(days=days))
        _logger.info("raw_pages_dropped", count=dropped)


async def repeat(work: Callable[[], Awaitable[None]], seconds: float, stop: asyncio.Event) -> None:
    """Do `work` now and every `seconds` until `stop`; an engine that is away is tried again next time."""
    while not stop.is_set():
        try:
            await work()
        except XGetError as error:
            _logger.warning("periodic_work_failed", reason=error.detail)
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await stop.wait()
