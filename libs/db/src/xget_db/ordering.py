"""Orders that are the same on every database.

Text sorts by its bytes on SQLite, and by the rules of a language on most PostgreSQL servers. NULLs come first there and
last here: write `nulls_first()` or `nulls_last()` wherever a column can be NULL.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import String
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import ColumnElement
from sqlalchemy.sql.compiler import SQLCompiler


class _InBytes(ColumnElement[str]):
    inherit_cache = True
    type = String()

    def __init__(self, column: Any) -> None:
        self.column = column


@compiles(_InBytes)
def _plain(element: _InBytes, compiler: SQLCompiler, **kw: Any) -> str:
    return compiler.process(element.column, **kw)


@compiles(_InBytes, "postgresql")
def _c(element: _InBytes, compiler: SQLCompiler, **kw: Any) -> str:
    return f'{compiler.process(element.column, **kw)} COLLATE "C"'


def in_bytes(column: Any) -> ColumnElement[str]:
    """A text column for `ORDER BY`, in the order of its characters' code points."""
    return _InBytes(column)
