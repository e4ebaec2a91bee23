"""SQL of drift: fields that are new or stay away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from xget_db.locks import in_turn
from xget_db.ordering import in_bytes
from xget_db.upserts import insert
from xget_kernel.pages import PageQuery
from xget_processing.models import MISSING, NEW, DriftField, DriftShape

ShapeKey = tuple[str, str, str]
"""Route, parser version, shape."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftFilter:
    """Which fields; missing ones only after so many pages in a row."""

    gone_pages: int
    route: str | None = None
    version: str | None = None
    shape: str | None = None
    kind: str | None = None


class DriftRepository:
    """Sampled shapes and their fields."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def in_turn(self, route: str) -> None:
        """Wait for whoever writes a route's drift; it reads before it writes."""
        await in_turn(self._session, "drift", route)

    async def count_shape(self, row: dict[str, Any]) -> None:
        """Add to the pages of a shape."""
        fresh = insert(self._session, DriftShape)
        added = {name: getattr(DriftShape, name) + fresh.excluded[name] for name in ("pages", "untold")}
        await self._session.execute(
            fresh.on_conflict_do_update(index_elements=["route", "version", "shape"], set_=added), [row]
        )

    async def fields(self, key: ShapeKey) -> dict[str, str]:
        """Path → kind of what is known of a shape."""
        rows = await self._session.execute(select(DriftField.path, DriftField.kind).where(*_of(key)))
        return {row.path: row.kind for row in rows}

    async def count_fields(self, rows: Sequence[dict[str, Any]]) -> None:
        """Add to the pages of fields."""
        if not rows:
            return
        fresh = insert(self._session, DriftField)
        latest = {name: fresh.excluded[name] for name in ("kind", "operation", "last_seen")}
        await self._session.execute(
            fresh.on_conflict_do_update(
                index_elements=["route", "version", "shape", "path"],
                set_={"pages": DriftField.pages + fresh.excluded.pages, **latest},
            ),
            rows,
        )

    async def forget(self, key: ShapeKey, paths: Sequence[str]) -> None:
        """Missing fields have come back."""
        if paths:
            await self._session.execute(delete(DriftField).where(*_of(key), DriftField.path.in_(paths)))

    async def find(self, wanted: DriftFilter, page: PageQuery) -> tuple[list[tuple[DriftField, int]], int]:
        """Fields by version, shape and path, with the pages that had their shape; and how many there are."""
        conditions = _conditions(wanted)
        total = await self._session.scalar(select(func.count()).select_from(DriftField).where(*conditions))
        same = (
            (DriftShape.route == DriftField.route)
            & (DriftShape.version == DriftField.version)
            & (DriftShape.shape == DriftField.shape)
        )
        order = (DriftField.route, DriftField.version, DriftField.shape, DriftField.path)
        rows = await self._session.execute(
            select(DriftField, DriftShape.pages)
            .join(DriftShape, same)
            .where(*conditions)
            .order_by(*map(in_bytes, order))
            .limit(page.limit)
            .offset(page.offset)
        )
        return [(field, pages) for field, pages in rows], total or 0

    async def counts(self, gone_pages: int) -> dict[tuple[str, str, str], int]:
        """How many fields are new and missing: (platform, version, kind) → fields."""
        same = (
            (DriftShape.route == DriftField.route)
            & (DriftShape.version == DriftField.version)
            & (DriftShape.shape == DriftField.shape)
        )
        groups = (DriftShape.platform, DriftField.version, DriftField.kind)
        rows = await self._session.execute(
            select(*groups, func.count())
            .join(DriftShape, same)
            .where(*_conditions(DriftFilter(gone_pages=gone_pages)))
            .group_by(*groups)
        )
        return {(platform, version, kind): fields for platform, version, kind, fields in rows}


def _of(key: ShapeKey) -> list[ColumnElement[bool]]:
    return [DriftField.route == key[0], DriftField.version == key[1], DriftField.shape == key[2]]


def _conditions(wanted: DriftFilter) -> list[ColumnElement[bool]]:
    columns: list[tuple[Any, str | None]] = [
        (DriftField.route, wanted.route),
        (DriftField.version, wanted.version),
        (DriftField.shape, wanted.shape),
        (DriftField.kind, wanted.kind),
    ]
    told = (DriftField.kind == NEW) | ((DriftField.kind == MISSING) & (DriftField.pages >= wanted.gone_pages))
    return [told, *(column == value for column, value in columns if value is not None)]
