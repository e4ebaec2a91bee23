"""Statements that are put together once: SQLAlchemy writes them, knows their types, and is out of the way then."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from typing import Any, Final, cast

from sqlalchemy import BindParameter, ClauseElement, Dialect, Executable
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeEngine

Build = Callable[[bool], Executable]
"""Puts a statement together for PostgreSQL (True) or SQLite; a function of a module, called once for a database."""
Convert = Callable[[Any], Any]
_NUMBER: Final = re.compile(r"\$(\d+)")


class Prepared:
    """One statement of one kind of database, its parameters by name, its columns by place."""

    def __init__(self, statement: Executable, dialect: Dialect) -> None:
        compiled = _compiler(dialect)(dialect, cast(ClauseElement, statement))
        if compiled.post_compile_params:
            raise ValueError("A list of values changes the text of a statement: give it as a set (`xget_db.given`).")
        self.text = compiled.string
        self._parameters = [_parameter(compiled.binds[name], dialect) for name in compiled.positiontup or ()]
        columns: Sequence[Any] = tuple(getattr(statement, "exported_columns", ()))
        self._columns = [(place, read) for place, column in enumerate(columns) if (read := _read(column.type, dialect))]

    @property
    def count(self) -> int:
        """How many values it is given."""
        return len(self._parameters)

    def arguments(self, values: Mapping[str, Any]) -> list[Any]:
        """What the driver is given. Raises KeyError for a value that is missing."""
        return [write(values[name]) if write else values[name] for name, write in self._parameters]

    def rows(self, found: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
        """What the driver gave, as values of the columns' types."""
        if not self._columns:
            return [tuple(row) for row in found]
        return [self._row(list(row)) for row in found]

    def _row(self, row: list[Any]) -> tuple[Any, ...]:
        for place, read in self._columns:
            row[place] = read(row[place])
        return tuple(row)


class Statements:
    """What one database was told so far; each statement is put together when it is wanted first."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._prepared: dict[Build, Prepared] = {}
        self._joined: dict[tuple[Build, ...], str] = {}

    def prepare(self, build: Build) -> Prepared:
        """The statement that `build` puts together."""
        found = self._prepared.get(build)
        if found is None:
            found = self._prepared[build] = Prepared(build(self._dialect.name == "postgresql"), self._dialect)
        return found

    def join(self, builds: tuple[Build, ...]) -> str:
        """See `together`."""
        found = self._joined.get(builds)
        if found is None:
            found = self._joined[builds] = together([self.prepare(build) for build in builds])
        return found


def together(statements: Sequence[Prepared]) -> str:
    """One statement of PostgreSQL that does what these do, given the arguments of all in their order.

    They see the tables as they were before, and must not touch the same rows. Only the last may be a SELECT.
    """
    *first, last = _renumbered(statements)
    return f"WITH {', '.join(f's{n} AS ({text})' for n, text in enumerate(first))} {last}"


def _renumbered(statements: Sequence[Prepared]) -> list[str]:
    texts, before = [], 0
    for statement in statements:
        texts.append(_NUMBER.sub(partial(_moved, before), statement.text))
        before += statement.count
    return texts


def _moved(before: int, found: re.Match[str]) -> str:
    return f"${int(found[1]) + before}"


def _parameter(bound: BindParameter[Any], dialect: Dialect) -> tuple[str, Convert | None]:
    """Its name, and how its value is written."""
    return bound.key, bound.type.dialect_impl(dialect).bind_processor(dialect)


@cache
def _compiler(dialect: Dialect) -> type[SQLCompiler]:
    """The dialect's, but values that never change stand in the text.

    Databases choose a plan by them; and SQLite prepares a statement anew at each use when a value that it is given is
    compared to a column of a partial index's condition, which takes ten times what the statement does.
    """

    class Fixed(dialect.statement_compiler):  # type: ignore[name-defined, misc]  # a class that is known at run time
        def visit_bindparam(self, bindparam: BindParameter[Any], **given: Any) -> str:
            if not bindparam.required:
                given["literal_binds"] = True
            text: str = super().visit_bindparam(bindparam, **given)
            return text

    return Fixed


def _read(kind: TypeEngine[Any], dialect: Dialect) -> Convert | None:
    return kind.dialect_impl(dialect).result_processor(dialect, None)
