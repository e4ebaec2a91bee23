"""Migrations of a SQLite file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, NullPool, create_engine, event
from sqlalchemy.exc import SQLAlchemyError

from xget_db.engine.sqlite import BUSY_SECONDS
from xget_db.failures import translate
from xget_db.migrations.scripts import ONE_AT_A_TIME, Scripts
from xget_kernel.errors import StartupError


def migrate(path: Path, scripts: Scripts, down_to: str | None) -> None:
    """Up to the head, or down to a revision; all or nothing. Raises StartupError."""
    with ONE_AT_A_TIME, _explained(path, scripts.package):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _connected(path) as connection, connection.begin():
            if scripts.migrate(connection, str(path), down_to):
                _check_references(connection, scripts.package)


def current(path: Path, scripts: Scripts) -> str | None:
    """The revision of the file, None when it is not there."""
    if not path.exists():
        return None
    with _explained(path, scripts.package), _connected(path) as connection:
        return scripts.current(connection)


def _check_references(connection: Connection, package: str) -> None:
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if broken is not None:
        raise StartupError(
            f"The migration of {package} would leave rows of table {broken[0]} that refer to missing rows of "
            f"{broken[2]}: nothing was changed; go back to the version of XGet before and report this."
        )


@contextmanager
def _connected(path: Path) -> Iterator[Connection]:
    engine = _engine(path)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def _engine(path: Path) -> Engine:
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool, connect_args={"timeout": BUSY_SECONDS})

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        # Batch mode drops and makes tables anew: foreign keys would delete the rows that refer to them.
        connection.execute("PRAGMA foreign_keys = OFF")

    @event.listens_for(engine, "begin")
    def start(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


@contextmanager
def _explained(path: Path, package: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StartupError(f"The database {path} cannot be made ({error.strerror}): set XGET_HOME.") from error
    except (SQLAlchemyError, sqlite3.Error) as error:
        known = translate(error)
        if known is not None:
            raise StartupError(f"The database {path} cannot be opened. {known.detail}") from error
        reason = str(getattr(error, "orig", error))
        raise StartupError(
            f"The tables of {package} in {path} cannot be brought up to date ({reason}): nothing was changed; "
            "put back a backup of the data folder, or move the file away to start with an empty one."
        ) from error
