"""SQLite's errors by their names."""

from __future__ import annotations

import sqlite3

from sqlalchemy.exc import DBAPIError

from xget_kernel.errors import Full, Unavailable, XGetError

_NOTHING_LOST = "What was acknowledged before is safe."


def translate(error: Exception) -> XGetError | None:
    """The kernel error for a database error, or None when it is another kind (a broken constraint, wrong SQL)."""
    cause = _cause(error)
    if not isinstance(cause, sqlite3.Error):
        return None
    name, text = _name(cause), str(cause).lower()
    if name.startswith("SQLITE_FULL") or "disk is full" in text:
        return Full(f"The disk is full, so nothing more can be stored: free some space. {_NOTHING_LOST}")
    if name.startswith("SQLITE_IOERR") or "disk i/o error" in text:
        return Full(f"The disk reports an I/O error: check the disk and its free space. {_NOTHING_LOST}")
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN")) or "readonly" in text or "unable to open" in text:
        return Full(
            f"The data folder cannot be written: give this user the right to write to XGET_HOME. {_NOTHING_LOST}"
        )
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")) or "locked" in text:
        return Unavailable("The database is locked by another process: try again in a moment.")
    return None


def is_read_only(error: Exception) -> bool:
    """Whether it says that the connection may not write."""
    return _name(error) == "SQLITE_READONLY"


def _cause(error: Exception) -> BaseException | None:
    return error.orig if isinstance(error, DBAPIError) else error


def _name(error: Exception) -> str:
    return getattr(_cause(error), "sqlite_errorname", None) or ""
