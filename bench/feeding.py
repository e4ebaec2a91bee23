"""Feeding pages into a log and knowing when all of them are stored and searchable."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from xget_contracts.events import PAGES, RESULTS, STORED, PageCollected
from xget_events import codec
from xget_events.log import EventLog
from xget_kernel.clock import SystemClock

BATCH: Final = 25
"""Pages in one publish."""
STATIONS: Final = (("processing", PAGES), ("storage-raw-pages", PAGES), ("storage", RESULTS), ("search-index", STORED))
"""Consumer groups in the order of the way, and what each reads."""


async def feed(log: EventLog, pages: Sequence[PageCollected], *, look_every: float = 0.03) -> None:
    """Publish pages as the scraper does, and return when every group has worked off everything."""
    clock = SystemClock()
    for start in range(0, len(pages), BATCH):
        now = clock.now()
        batch = pages[start : start + BATCH]
        await log.publish([codec.message(PAGES, page.execution_id, page, source="bench", now=now) for page in batch])
    while not await _settled(log):  # noqa: ASYNC110 - the groups have no event for it
        await asyncio.sleep(look_every)


async def _settled(log: EventLog) -> bool:
    """In the order of the way: a group publishes before it commits, so nothing can be between two of them."""
    for group, topic in STATIONS:
        if (await log.lag(group)).get(topic) != 0:  # a group that has not joined yet says nothing of the topic
            return False
    return True
