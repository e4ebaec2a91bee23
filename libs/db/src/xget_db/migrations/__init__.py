"""Brings a service's tables to the shape its code expects, on SQLite and PostgreSQL.

A service's `migrations/env.py` calls `run_env`; its `versions/` use portable types (`xget_db.types`) and can be
undone.
"""

from __future__ import annotations

from xget_db.engine.sqlite import sqlite_path
from xget_db.migrations import postgres, sqlite
from xget_db.migrations.scripts import Scripts, run_env, version_table
from xget_db.postgres.address import is_postgres, parse

__all__ = ["downgrade", "head", "run_env", "state", "upgrade", "version_table"]


def upgrade(database_url: str, package: str) -> None:
    """Run the migrations of `<package>/migrations` that the database lacks, all or none. Blocks: call it in a thread.

    Processes that start together wait for one another. On PostgreSQL it waits ten seconds for a server that does not
    answer, and makes the schema. Raises StartupError, with the fix, when the database is newer than the code, cannot
    be reached or written, or a migration fails.
    """
    _run(database_url, package, None)


def downgrade(database_url: str, package: str, revision: str = "base") -> None:
    """Undo migrations down to `revision`, by default all, with the rows. Blocks; raises StartupError."""
    _run(database_url, package, revision)


def state(database_url: str, package: str) -> tuple[str | None, str | None]:
    """The revision of the database (None without tables) and the newest that the code knows. Changes nothing.

    Blocks: call it in a thread. Raises StartupError when the database cannot be reached.
    """
    scripts = Scripts(package)
    if is_postgres(database_url):
        return postgres.current(parse(database_url), scripts), scripts.head
    return sqlite.current(sqlite_path(database_url), scripts), scripts.head


def head(package: str) -> str | None:
    """The newest revision that the code of `package` knows, None without migrations."""
    return Scripts(package).head


def _run(database_url: str, package: str, down_to: str | None) -> None:
    scripts = Scripts(package)
    if is_postgres(database_url):
        postgres.migrate(parse(database_url), scripts, down_to)
    else:
        sqlite.migrate(sqlite_path(database_url), scripts, down_to)
