"""What databases say when they cannot go on, as sentences with a status."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from xget_db.failures import postgres, sqlite
from xget_kernel.errors import Unavailable, XGetError

__all__ = ["away", "translate", "translated"]


@contextmanager
def translated(*, writing: bool) -> Iterator[None]:
    """Raise Full (507) or Unavailable (503) in place of the driver's errors of that kind; others pass unchanged.

    A write through a reading session is a mistake of the code and not of the disk: it passes unchanged too.
    """
    try:
        yield
    except (DBAPIError, sqlite3.Error, asyncpg.PostgresError) as error:
        known = translate(error)
        if known is None or (not writing and (sqlite.is_read_only(error) or postgres.is_read_only(error))):
            raise
        raise known from error
    except PoolTimeout as error:
        raise away("All database connections are busy") from error


def translate(error: Exception) -> XGetError | None:
    """The kernel error for a database error, or None when it is another kind (a broken constraint, wrong SQL)."""
    return sqlite.translate(error) or postgres.translate(error)


def away(what: str) -> Unavailable:
    """The error for a database that may answer soon. `what` is the first half of a sentence."""
    return postgres.away(what)
