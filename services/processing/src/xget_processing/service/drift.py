"""Watches which fields pages have, so that a change of the platform's format is seen before it hurts."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from xget_kernel.clock import Clock
from xget_kernel.pages import PageQuery
from xget_processing.errors import ParserNotFound
from xget_processing.models import MISSING, NEW, DriftField
from xget_processing.repository import DriftFilter, ParserKey, ShapeKey, Store, Unit
from xget_processing.service.freezing import key_of
from xget_processing.service.parsing import PageParser, ParsedPage

MOST_NEW: Final = 300
"""New fields of a shape that are kept by version; the others are only counted."""
_LONGEST_PATH: Final = 500


class DriftRules(msgspec.Struct, frozen=True, kw_only=True):
    """What is looked at, and when a field is gone."""

    every: int = 20
    """One page in so many of an operation is looked at, and every page with rejected records; 0 = none at all."""
    gone_pages: int = 50
    """A usual field is gone once so many sampled pages with its shape, in a row, lack it."""


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of one page, by shape."""

    parsed: ParsedPage
    fields: Mapping[str, frozenset[str]]


class DriftService:
    """Use cases of drift."""

    def __init__(self, store: Store, parser: PageParser, clock: Clock, rules: DriftRules) -> None:
        self._store = store
        self._parser = parser
        self._clock = clock
        self._rules = rules
        self._pages: dict[ParserKey, int] = {}

    async def sample(self, parsed: Sequence[ParsedPage]) -> list[Sample]:
        """Look at some of the pages; what they hold."""
        wanted = [one for one in parsed if self._is_wanted(one)]
        found = [await asyncio.to_thread(self._parser.fields, one.page) for one in wanted]
        return [Sample(parsed=one, fields=fields) for one, fields in zip(wanted, found, strict=True) if fields]

    def _is_wanted(self, parsed: ParsedPage) -> bool:
        if not self._rules.every:
            return False
        key = key_of(parsed.page)
        before = self._pages.get(key, 0)
        self._pages[key] = before + 1
        return bool(parsed.rejected) or before % self._rules.every == 0

    async def record(self, unit: Unit, samples: Sequence[Sample]) -> None:
        """Count what is new and what is missing, in a transaction of the caller's, after everything else in it."""
        for sample in sorted(samples, key=lambda each: each.parsed.page.route):
            route = sample.parsed.page.route
            await unit.drift.in_turn(route)
            for shape, paths in sorted(sample.fields.items()):
                await self._record(unit, sample.parsed, (route, sample.parsed.result.parser_version, shape), paths)

    async def _record(self, unit: Unit, parsed: ParsedPage, key: ShapeKey, paths: frozenset[str]) -> None:
        shape = key[2]
        known = self._parser.known_fields(key[0])
        if known is None:
            return
        kept = await unit.drift.fields(key)
        new = sorted({_clean(path) for path in paths - known.known.get(shape, frozenset())})
        new_before = sum(kind == NEW for kind in kept.values())
        room = max(0, MOST_NEW - new_before)
        unmet = [path for path in new if path not in kept]
        taken = [path for path in new if path in kept] + unmet[:room]
        missing = sorted(_clean(path) for path in known.usual.get(shape, frozenset()) - paths)
        untold = max(0, len(unmet) - room)
        await unit.drift.count_shape(
            {"route": key[0], "version": key[1], "shape": shape, "platform": parsed.page.platform}
            | {"pages": 1, "untold": untold}
        )
        rows = [self._row(parsed, key, path, NEW) for path in taken]
        rows += [self._row(parsed, key, path, MISSING) for path in missing if path not in taken]
        await unit.drift.count_fields(sorted(rows, key=lambda row: row["path"]))
        back = {path for path, kind in kept.items() if kind == MISSING} - set(missing)
        await unit.drift.forget(key, sorted(back))

    def _row(self, parsed: ParsedPage, key: ShapeKey, path: str, kind: str) -> dict[str, Any]:
        now = self._clock.now()
        return {
            "route": key[0],
            "version": key[1],
            "shape": key[2],
            "path": path,
            "kind": kind,
            "operation": parsed.page.operation,
            "pages": 1,
            "first_seen": now,
            "last_seen": now,
        }

    async def find(
        self, name: str, page: PageQuery, *, version: str | None, shape: str | None, kind: str | None
    ) -> tuple[list[tuple[DriftField, int]], int]:
        """New and gone fields of a parser (or all parsers of a route), each with the sampled pages that had its shape.

        Operations share their shapes. Raises ParserNotFound (404).
        """
        route, _, operation = name.partition(":")
        wanted = DriftFilter(gone_pages=self._rules.gone_pages, route=route, version=version, shape=shape, kind=kind)
        async with self._store.read() as unit:
            if not any(
                state.route == route and operation in ("", state.operation) for state, _ in await unit.parsers.states()
            ):
                raise ParserNotFound(name)
            return await unit.drift.find(wanted, page)

    async def counts(self) -> dict[tuple[str, str, str], int]:
        """How many fields are new and gone: (platform, version, `new` or `missing`) → fields."""
        async with self._store.read() as unit:
            return await unit.drift.counts(self._rules.gone_pages)


def _clean(path: str) -> str:
    return path.replace("\x00", "\ufffd")[:_LONGEST_PATH]
