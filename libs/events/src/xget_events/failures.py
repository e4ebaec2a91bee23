"""Which failures are the world's and which are the record's."""

from __future__ import annotations

import sqlite3

from xget_kernel.errors import Full, Unavailable


def is_infrastructure(error: BaseException) -> bool:
    """Whether the same record may well pass later: no room, something away, an I/O error.

    Looks into exception groups, into what SQLAlchemy wraps (`orig`) and into what an error was raised from.
    """
    if isinstance(error, BaseExceptionGroup):
        return any(is_infrastructure(part) for part in error.exceptions)
    if isinstance(error, (Full, Unavailable, OSError, sqlite3.OperationalError)):
        return True
    return isinstance(getattr(error, "orig", None), sqlite3.OperationalError)
