"""Rows that a statement is given, as a set to select from: one parameter for each column and not one for each cell.

Many rows at once are a loop otherwise, of the database and of all that is between it and us.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Generic, TypeVar

import msgspec
from sqlalchemy import ColumnElement, Subquery, Text, bindparam, cast, func, select, true, type_coerce
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.types import TypeEngine

Row = TypeVar("Row", bound=tuple[Any, ...])
_NAME: Final = "given"


class Given(Generic[Row]):
    """A set with these columns, of texts, numbers and times, on one kind of database."""

    def __init__(self, columns: Mapping[str, TypeEngine[Any]], *, postgres: bool) -> None:
        self._postgres = postgres
        self._names = tuple(columns)
        self._writers = [] if postgres else _writers(columns)
        self.rows: Subquery = _arrays(columns) if postgres else _json(columns)
        """What statements select from; execute them with `values`."""

    def values(self, rows: Sequence[Row]) -> dict[str, Any]:
        """The parameters that make up the set."""
        if not self._postgres:
            return {
                _NAME: msgspec.json.encode([self._written(row) for row in rows] if self._writers else rows).decode()
            }
        return {f"{_NAME}_{name}": [row[n] for row in rows] for n, name in enumerate(self._names)}

    def _written(self, row: Row) -> list[Any]:
        """The row as SQLite keeps it: it knows no times, only their texts."""
        cells = list(row)
        for place, write in self._writers:
            cells[place] = write(cells[place])
        return cells


def as_json(value: Any) -> str | None:
    """A value for a `Text` column of a set; `json_of` makes JSON of it."""
    return None if value is None else msgspec.json.encode(value).decode()


def json_of(column: ColumnElement[Any], *, postgres: bool) -> ColumnElement[Any]:
    """A text of JSON for a column of type `JsonDict` or `JsonList`."""
    return cast(column, JSONB) if postgres else column


def _writers(columns: Mapping[str, TypeEngine[Any]]) -> list[tuple[int, Callable[[Any], Any]]]:
    dialect = sqlite.dialect()
    kinds = enumerate(kind.dialect_impl(dialect).bind_processor(dialect) for kind in columns.values())
    return [(place, write) for place, write in kinds if write is not None]


def _arrays(columns: Mapping[str, TypeEngine[Any]]) -> Subquery:
    parts = [
        func.unnest(bindparam(f"{_NAME}_{name}", type_=ARRAY(kind)), type_=kind).label(name)
        for name, kind in columns.items()
    ]
    return select(*parts).subquery(_NAME)


def _json(columns: Mapping[str, TypeEngine[Any]]) -> Subquery:
    each = func.json_each(bindparam(_NAME, type_=Text)).table_valued("value")
    parts = [
        type_coerce(func.json_extract(each.c.value, f"$[{n}]"), kind).label(name)
        for n, (name, kind) in enumerate(columns.items())
    ]
    # SQLite takes the ON of ON CONFLICT for a join's without a WHERE before it
    return select(*parts).where(true()).subquery(_NAME)
