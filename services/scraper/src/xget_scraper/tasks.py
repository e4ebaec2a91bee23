"""Periodic work."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from xget_kernel.clock import Clock
from xget_kernel.errors import XGetError
from xget_scraper.service.checkpoints import Checkpoints
from xget_scraper.service.gathering import Observer
from xget_scraper.service.tidying import Tidying
from xget_sources.ports import SourceStopped
from xget_telemetry.logs import get_logger

LOG = get_logger(__name__)


async def sweep(
    checkpoints: Checkpoints, clock: Clock, seconds: float, wake: Callable[[], None], stop: asyncio.Event
) -> None:
    """Every `seconds`: requeue executions whose worker fell silent, and wake for them."""
    while not stop.is_set():
        try:
            requeued = await checkpoints.sweep()
        except XGetError as error:
            LOG.warning("sweep_failed", reason=error.detail)
        else:
            if requeued:
                LOG.warning("executions_resumed", count=requeued)
                wake()
        await _rest(clock, seconds, stop)


async def tidy(tidying: Tidying, clock: Clock, seconds: float, stop: asyncio.Event) -> None:
    """Every `seconds`: clear away what ended executions leave."""
    while not stop.is_set():
        try:
            await tidying.tidy(stop)
        except XGetError as error:
            LOG.warning("tidying_failed", reason=error.detail)
        await _rest(clock, seconds, stop)


async def observe(
    observer: Observer, clock: Clock, seconds: float, wake: Callable[[], None], stop: asyncio.Event
) -> None:
    """Every `seconds`: make executions for posts that are due to be seen again, and wake for them."""
    while not stop.is_set():
        try:
            made = await observer.gather()
        except (XGetError, SourceStopped) as error:
            LOG.warning("observing_failed", reason=error.detail)
        else:
            if made:
                LOG.info("observations_due", executions=made)
                wake()
        await _rest(clock, seconds, stop)


async def _rest(clock: Clock, seconds: float, stop: asyncio.Event) -> None:
    waits = [asyncio.ensure_future(clock.sleep(seconds)), asyncio.ensure_future(stop.wait())]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)
