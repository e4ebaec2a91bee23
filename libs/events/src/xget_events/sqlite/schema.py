"""The file behind the SQLite event log: tables, pragmas, version."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from xget_kernel.errors import StartupError

VERSION = 1
SHIFT = 40
"""A record's rowid is `partition id << SHIFT | offset`: one b-tree, each partition a dense run in it."""

TABLES = """
CREATE TABLE IF NOT EXISTS topics (
    name TEXT PRIMARY KEY, retention_hours REAL NOT NULL, max_bytes INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS partitions (
    id INTEGER PRIMARY KEY, topic TEXT NOT NULL REFERENCES topics, number INTEGER NOT NULL,
    start INTEGER NOT NULL DEFAULT 0, next INTEGER NOT NULL DEFAULT 0, UNIQUE (topic, number)
);
CREATE TABLE IF NOT EXISTS records (
    id INTEGER PRIMARY KEY, at INTEGER NOT NULL, key TEXT NOT NULL, headers TEXT NOT NULL, value BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS members (
    instance TEXT PRIMARY KEY, group_name TEXT NOT NULL, name TEXT NOT NULL, topics TEXT NOT NULL,
    lease_until INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS claims (
    group_name TEXT NOT NULL, partition_id INTEGER NOT NULL REFERENCES partitions, owner TEXT,
    epoch INTEGER NOT NULL DEFAULT 0, committed INTEGER NOT NULL, PRIMARY KEY (group_name, partition_id)
) WITHOUT ROWID;
"""


def connect(path: Path) -> sqlite3.Connection:
    """Open the file, made if it is absent. For one thread; transactions are begun by hand.

    Raises StartupError when the file is of a newer release or no event log at all.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, isolation_level=None, timeout=10.0, cached_statements=256)
    try:
        _prepare(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    try:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
    except sqlite3.DatabaseError as error:
        raise StartupError(f"{path} is not an event log ({error}): move it away and start again.") from error
    if version > VERSION:
        raise StartupError(f"{path} was written by a newer release of XGet: start that release, or use another home.")
    if version == 0:
        _create(connection)
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA wal_autocheckpoint=4000")
    connection.execute("PRAGMA journal_size_limit=67108864")


def _create(connection: sqlite3.Connection) -> None:
    """Make the tables; two processes that start at once both come through."""
    connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.executescript(f"BEGIN IMMEDIATE; {TABLES} PRAGMA user_version={VERSION}; COMMIT;")
