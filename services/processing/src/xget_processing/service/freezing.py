"""Stops parsers that reject too much, keeps their pages waiting, and lets them read again."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Literal, cast

import msgspec

from xget_contracts.events import PageCollected, ParserChanged
from xget_kernel.clock import Clock
from xget_processing.errors import ParserNotFound, ParserNotFrozen
from xget_processing.models import BY_RATE, BY_VERSION, FROZEN, READING, THAWING, WHOLE, ParserState
from xget_processing.repository import ParserKey, Store, Unit
from xget_processing.service.parsing import NO_PARSER, PageParser, ParsedPage
from xget_telemetry.logs import get_logger

_logger = get_logger(__name__)
_PARTS: Final = re.compile(r"\d+|\D+")
Traced = tuple[PageCollected, str | None]
"""A page and the trace that it belongs to."""


class FreezeRules(msgspec.Struct, frozen=True, kw_only=True):
    """When a parser is frozen."""

    rate: float = 0.5
    """Share of records that may be rejected, on average over the pages of the window; 0 = never freeze."""
    pages: int = 10
    """Fewest pages with records in the window."""
    minutes: int = 10
    """Length of the window."""


def version_order(version: str) -> tuple[tuple[int, str], ...]:
    """Parser versions in their order: numbers by value, and that of a source which is not installed first."""
    if version == NO_PARSER:
        return ()
    return tuple((int(part), "") if part.isdigit() else (-1, part) for part in _PARTS.findall(version))


def share_rejected(parsed: ParsedPage) -> float | None:
    """Which share of a page's records was rejected; None for a page that tells nothing."""
    records = len(parsed.result.items) + len(parsed.rejected)
    if records:
        return len(parsed.rejected) / records
    return 0.0 if parsed.result.authors else None


def key_of(page: PageCollected) -> ParserKey:
    """Which parser reads a page."""
    return page.route, page.operation


class FreezeService:
    """Use cases of freezing. All of its memory is in the tables: replicas and restarts share it."""

    def __init__(self, store: Store, parser: PageParser, clock: Clock, rules: FreezeRules) -> None:
        self._store = store
        self._parser = parser
        self._clock = clock
        self._rules = rules

    async def set_aside(self, pages: Sequence[Traced]) -> list[Traced]:
        """Keep pages of parsers that do not read now, durably; those that can be parsed are given back."""
        keys = {key_of(page) for page, _ in pages}
        async with self._store.read() as unit:
            if not await unit.parsers.not_reading(keys):
                return list(pages)
        async with self._store.transaction() as unit:
            # locked until the commit, so that no thaw ends between this look and the pages' rows
            stopped = {(state.route, state.operation) for state in await unit.parsers.not_reading(keys)}
            waiting = [(page, trace) for page, trace in pages if key_of(page) in stopped]
            if waiting:
                await unit.parsers.put_aside(waiting, self._clock.now())
        return [(page, trace) for page, trace in pages if key_of(page) not in stopped]

    async def judge(self, unit: Unit, parsed: Sequence[ParsedPage]) -> None:
        """Count how parsers did, and freeze those that reject too much.

        Call it before anything else in a transaction: parsers are locked before minutes, and both before records.
        """
        if not parsed:
            return
        now = self._clock.now()
        await unit.parsers.meet(_unread(parsed, now))
        rows = _minutes(parsed, now)
        if not rows or not self._rules.rate:
            return
        states = {
            key: await unit.parsers.state(key) for key in sorted({key[:2] for key in rows if rows[key]["failures"]})
        }
        await unit.parsers.count_window(list(rows.values()))
        for key, row in rows.items():
            if (state := states.get(key[:2])) is not None and row["failures"]:
                await self._judge(unit, state, row, now)

    async def _judge(self, unit: Unit, state: ParserState, row: dict[str, Any], now: datetime) -> None:
        key, version = (state.route, state.operation), row["version"]
        since = row["minute"] - timedelta(minutes=self._rules.minutes)
        await unit.parsers.forget_windows(key, before=since)
        pages, failures = await unit.parsers.window(key, version, since)
        if pages < self._rules.pages or failures < self._rules.rate * pages * WHOLE or _is_outdated(version, state):
            return
        values = {"version": version, "by": BY_RATE, "since": now, "pages": pages, "failures": failures}
        frozen = await unit.parsers.freeze(key, values)
        if frozen is not None:
            await unit.parsers.forget_windows(key)
            await self._tell(unit, frozen)
            _logger.error("parser_frozen", parser=frozen.name, version=version, pages=pages)

    async def states(self) -> list[tuple[ParserState, int]]:
        """All parsers that have read something, and how many pages wait for each."""
        async with self._store.read() as unit:
            return await unit.parsers.states()

    async def thaw(self, key: ParserKey, by: str) -> tuple[ParserState, int]:
        """Let a frozen parser read what waits, whatever it rejects; and how many pages wait.

        Raises ParserNotFound (404), ParserNotFrozen (409).
        """
        async with self._store.transaction() as unit:
            thawing = await self._thaw(unit, key, {"by": by})
            if thawing is None and await unit.parsers.state(key) is None:
                raise ParserNotFound(":".join(key))
            if thawing is None:
                raise ParserNotFrozen(":".join(key))
            return thawing, await unit.parsers.count_waiting(key)

    async def thaw_for_newer(self) -> list[ParserState]:
        """Thaw what an older version of an installed parser was frozen for; which parsers were."""
        thawed = []
        for state in await self._stopped((FROZEN,)):
            mine = self._parser.version_of(state.route)
            if version_order(mine) <= version_order(state.version):
                continue
            async with self._store.transaction() as unit:
                key = (state.route, state.operation)
                if changed := await self._thaw(unit, key, {"by": BY_VERSION, "version": mine}, older_than=mine):
                    thawed.append(changed)
        return thawed

    async def _thaw(
        self, unit: Unit, key: ParserKey, values: dict[str, Any], *, older_than: str | None = None
    ) -> ParserState | None:
        state = await unit.parsers.state(key)
        if state is None or state.state != FROZEN:
            return None
        if older_than is not None and version_order(older_than) <= version_order(state.version):
            return None
        await unit.parsers.forget_windows(key)
        changed = await unit.parsers.thaw(key, {**values, "since": self._clock.now()})
        if changed is not None:
            await self._tell(unit, changed)
        return changed

    async def thawing(self) -> list[ParserState]:
        """Parsers whose waiting pages this process may read."""
        return [
            state
            for state in await self._stopped((THAWING,))
            if not _is_outdated(self._parser.version_of(state.route), state)
        ]

    async def finish(self, unit: Unit, key: ParserKey) -> None:
        """A thawing parser reads as usual again, when nothing waits for it any more."""
        if not await unit.parsers.count_waiting(key):
            done = await unit.parsers.read_again(key, self._clock.now())
            if done is not None:
                await self._tell(unit, done)

    async def _stopped(self, states: Iterable[str]) -> list[ParserState]:
        wanted = set(states)
        async with self._store.read() as unit:
            return [state for state in await unit.parsers.not_reading() if state.state in wanted]

    async def _tell(self, unit: Unit, state: ParserState) -> None:
        waiting = await unit.parsers.count_waiting((state.route, state.operation))
        unit.tell(_changed(state, waiting, self._clock.now()))


def _unread(parsed: Sequence[ParsedPage], now: datetime) -> list[dict[str, Any]]:
    """Rows of parsers as they are before anything is known of them."""
    given = {"state": READING, "by": "", "since": now, "pages": 0, "failures": 0}
    found = {key_of(one.page): one for one in parsed}
    return [
        {"route": key[0], "operation": key[1], "platform": one.page.platform}
        | {"version": one.result.parser_version, **given}
        for key, one in sorted(found.items(), key=lambda pair: pair[0])
    ]


def _minutes(parsed: Sequence[ParsedPage], now: datetime) -> dict[tuple[str, str, str], dict[str, Any]]:
    """What to add to this minute, by route, operation and version, in this order."""
    rows: dict[tuple[str, str, str], dict[str, Any]] = {}
    minute = now.replace(second=0, microsecond=0)
    for one in sorted(parsed, key=lambda each: (*key_of(each.page), each.result.parser_version)):
        share = share_rejected(one)
        if share is None:
            continue
        key = (*key_of(one.page), one.result.parser_version)
        row = rows.setdefault(
            key,
            {"route": key[0], "operation": key[1], "version": key[2], "minute": minute, "pages": 0, "failures": 0},
        )
        row["pages"] += 1
        row["failures"] += round(share * WHOLE)
    return rows


def _is_outdated(version: str, state: ParserState) -> bool:
    """Whether a newer version than this one was put to work on the parser."""
    return state.by == BY_VERSION and version_order(version) < version_order(state.version)


def _changed(state: ParserState, waiting: int, now: datetime) -> ParserChanged:
    return ParserChanged(
        parser=state.name,
        platform=state.platform,
        route=state.route,
        operation=state.operation,
        state=cast(Literal["frozen", "thawing", "reading"], state.state),
        at=now,
        version=state.version,
        by=state.by,
        pages=state.pages,
        rate=state.rate,
        waiting=waiting,
    )
