"""The way of a page through processing: wait for a frozen parser, or be parsed and recorded."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from xget_contracts.events import PageCollected
from xget_processing.models import BY_VERSION, THAWING, ParserState
from xget_processing.repository import Store
from xget_processing.service.drift import DriftService
from xget_processing.service.freezing import FreezeService, Traced
from xget_processing.service.metrics import ParserMetrics
from xget_processing.service.parsing import PageParser, ParsedPage
from xget_processing.service.quarantine import QuarantineService

_AT_ONCE: Final = 16


class ReadingService:
    """Reads pages as they come, and those that waited."""

    def __init__(
        self,
        *,
        store: Store,
        parser: PageParser,
        quarantine: QuarantineService,
        freezing: FreezeService,
        drift: DriftService,
        metrics: ParserMetrics,
    ) -> None:
        self._store = store
        self._parser = parser
        self._quarantine = quarantine
        self._freezing = freezing
        self._drift = drift
        self._metrics = metrics

    async def read(self, pages: Sequence[Traced]) -> list[tuple[ParsedPage, str | None]]:
        """What is to be announced: pages whose parser reads, parsed, with what they rejected kept durably.

        The others wait in the tables, durably too. Repeating it changes nothing but the parsers' counts.
        """
        readable = await self._freezing.set_aside(pages)
        if not readable:
            return []
        parsed = await self._parse([page for page, _ in readable])
        samples = await self._drift.sample(parsed)
        async with self._store.transaction() as unit:
            await self._freezing.judge(unit, parsed)
            await self._quarantine.take_in(unit, parsed)
            await self._drift.record(unit, samples)
        self._metrics.parsed(parsed)
        return [(one, trace) for one, (_, trace) in zip(parsed, readable, strict=True)]

    async def read_waiting(self) -> int:
        """Thaw what a newer parser may read, and read some of what waits; how many pages that were."""
        for state in await self._freezing.thaw_for_newer():
            self._metrics.thawed(state.name)
        return sum([await self._read_some(state) for state in await self._freezing.thawing()])

    async def _read_some(self, state: ParserState) -> int:
        """Pages are parsed first and taken in one transaction: who comes second, or dies before, has done nothing."""
        key = (state.route, state.operation)
        async with self._store.read() as unit:
            waiting = await unit.parsers.waiting(key, _AT_ONCE)
        parsed = await self._parse([page for page, _ in waiting])
        samples = await self._drift.sample(parsed)
        async with self._store.transaction() as unit:
            now = await unit.parsers.state(key)
            if now is None or now.state != THAWING:
                return 0
            taken = await unit.parsers.take([_id(page) for page, _ in waiting])
            mine = [one for one in parsed if _id(one.page) in taken]
            if mine and now.by == BY_VERSION:
                await self._freezing.judge(unit, mine)
            if mine:
                await self._quarantine.take_in(unit, mine)
            await self._drift.record(unit, [sample for sample in samples if _id(sample.parsed.page) in taken])
            traces = {_id(page): trace for page, trace in waiting}
            for one in mine:
                unit.announce(one.result, traces[_id(one.page)])
            await self._freezing.finish(unit, key)
        self._metrics.parsed(mine)
        return len(mine)

    async def _parse(self, pages: Sequence[PageCollected]) -> list[ParsedPage]:
        return [await asyncio.to_thread(self._parser.parse, page) for page in pages]


def _id(page: PageCollected) -> tuple[str, int, int]:
    return page.execution_id, page.page_no, page.attempt
