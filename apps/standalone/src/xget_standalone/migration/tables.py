"""Tables of a service, row by row, between any two databases."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from importlib import import_module
from typing import Any, Final, cast

import msgspec
from sqlalchemy import (
    Column,
    Engine,
    Integer,
    LargeBinary,
    MetaData,
    StaticPool,
    Table,
    create_engine,
    func,
    select,
    text,
    tuple_,
)
from sqlalchemy.exc import DBAPIError, OperationalError, ProgrammingError

from xget_db.engine import Database
from xget_db.migrations import head, version_table
from xget_db.postgres.address import is_postgres
from xget_db.types import UtcDateTime
from xget_db.upserts import insert
from xget_kernel.errors import StartupError
from xget_standalone.migration.progress import Progress
from xget_standalone.migration.steps import Row

SERVICES: Final = ("auth", "account", "proxy", "scraper", "processing")
"""Services that have tables."""
_ROWS: Final = 300
_LARGE_ROWS: Final = 8
_ENCODER: Final = msgspec.json.Encoder(order="deterministic")


def tables_of(service: str) -> list[Table]:
    """The tables of a service; those that others refer to come first."""
    base = import_module(f"xget_{service}.models").Base
    return list(cast("MetaData", base.metadata).sorted_tables)


def check_version(connection: sqlite3.Connection, service: str, place: str) -> None:
    """Raise StartupError when the tables are not those of this release."""
    package = f"xget_{service}"
    known = head(package)
    try:
        row = connection.execute(f"SELECT version_num FROM {version_table(package)}").fetchone()  # noqa: S608 - constant
    except sqlite3.Error:
        row = None
    found = row[0] if row else "none"
    if found != known:
        raise StartupError(
            f"The tables of {service} in {place} have version {found}, and this XGet moves version {known}: start the "
            "XGet that you have now on that folder once (`xget up --home`), stop it, then retry; or install the newer."
        )


@contextmanager
def readable(connection: sqlite3.Connection) -> Iterator[Engine]:
    """SQLAlchemy on a connection that is open already, and stays open."""
    engine = create_engine("sqlite://", creator=lambda: connection, poolclass=StaticPool)
    try:
        yield engine
    finally:
        engine.dispose(close=False)


class TableShelf:
    """One table."""

    concern = "tables"
    merges = False

    def __init__(self, service: str, table: Table, source: Engine, target: Database, *, shifts: bool) -> None:
        self.name = f"{service}.{table.name}"
        self._table = table
        self._source = source
        self._target = target
        self._key = list(table.primary_key.columns)
        self._size = _LARGE_ROWS if any(isinstance(c.type, LargeBinary) for c in table.columns) else _ROWS
        self._counted = len(self._key) == 1 and isinstance(self._key[0].type, Integer)
        self._shifts = shifts and self._counted
        self._shift = 0

    async def total(self) -> int:
        return await asyncio.to_thread(self._total)

    def _total(self) -> int:
        with self._source.connect() as connection:
            return connection.execute(select(func.count()).select_from(self._table)).scalar_one()

    async def target_total(self) -> int:
        """Rows in the target; 0 when the table is not there yet."""
        try:
            async with self._target.read() as session:
                return (await session.execute(select(func.count()).select_from(self._table))).scalar_one()
        except (ProgrammingError, OperationalError):
            return 0

    async def prepare(self, progress: Progress) -> None:
        """Numbered rows that meet others go on behind them: their numbers are an order, and no names."""
        if self._shifts:
            known = progress.fact(self.name)
            if known is None:
                async with self._target.read() as session:
                    known = int((await session.execute(select(func.max(self._key[0])))).scalar_one() or 0)
                progress.remember(self.name, known)
            self._shift = known

    async def read(self, after: str) -> list[Row]:
        return await asyncio.to_thread(self._read, after)

    def _read(self, after: str) -> list[Row]:
        query = select(self._table).order_by(*self._key).limit(self._size)
        if after:
            last = [_typed(column, value) for column, value in zip(self._key, json.loads(after), strict=True)]
            query = query.where(tuple_(*self._key) > tuple_(*last) if len(last) > 1 else self._key[0] > last[0])
        with self._source.connect() as connection:
            rows = [dict(row) for row in connection.execute(query).mappings()]
        return [self._row(values, shift=self._shift) for values in rows]

    def _row(self, values: dict[str, Any], *, shift: int = 0) -> Row:
        place = json.dumps([_plain(values[column.name]) for column in self._key])
        if shift:
            values[self._key[0].name] += shift
        key = json.dumps([_plain(values[column.name]) for column in self._key], ensure_ascii=False)
        return Row(place, key, _ENCODER.encode(values), values)

    async def present(self, rows: Sequence[Row]) -> dict[str, bytes]:
        keys = [tuple(row.value[column.name] for column in self._key) for row in rows]
        wanted = tuple_(*self._key).in_(keys) if len(self._key) > 1 else self._key[0].in_([key for (key,) in keys])
        async with self._target.read() as session:
            found = (await session.execute(select(self._table).where(wanted))).mappings().all()
        return {row.key: row.text for row in (self._row(dict(values)) for values in found)}

    async def bring(self, rows: Sequence[Row]) -> None:
        try:
            await self._insert([row.value for row in rows])
        except DBAPIError:
            for row in rows:  # one of them is not for this database: the verification names it
                try:
                    await self._insert([row.value])
                except DBAPIError:
                    continue

    async def _insert(self, rows: Sequence[Mapping[str, Any]]) -> None:
        async with self._target.transaction() as session:
            await session.execute(insert(session, self._table).on_conflict_do_nothing(), list(rows))

    async def settled(self, rows: Sequence[Row]) -> set[str]:
        return set()

    async def finish(self) -> None:
        """Numbers that the target gives from now on begin behind those that moved."""
        if self._counted and is_postgres(self._target.url):
            table, column = self._table.name, self._key[0].name
            last = f'(SELECT coalesce(max("{column}"), 0) + 1 FROM "{table}")'  # noqa: S608 - names of our own tables
            async with self._target.transaction() as session:
                await session.execute(
                    text(f"SELECT setval(pg_get_serial_sequence('{table}', '{column}'), {last}, false)")
                )


def _plain(value: Any) -> Any:
    """Part of a key as JSON has it."""
    return value.isoformat() if isinstance(value, datetime) else value


def _typed(column: Column[Any], value: Any) -> Any:
    """Part of a key as the column has it."""
    return datetime.fromisoformat(value) if isinstance(column.type, UtcDateTime) else value
