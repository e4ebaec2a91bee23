"""Brings a service's tables to the shape its code expects."""

from __future__ import annotations

import importlib.util
import io
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, MetaData, NullPool, create_engine, event
from sqlalchemy.exc import SQLAlchemyError

from xget_db.engine import BUSY_SECONDS, sqlite_path
from xget_db.failures import translate
from xget_kernel.errors import StartupError

# Alembic keeps the running migration in module globals: one at a time per process.
_ONE_AT_A_TIME: Final = threading.Lock()


def upgrade(database_url: str, package: str) -> None:
    """Run the migrations of `<package>/migrations` that the database lacks, all or none. Blocks: call it in a thread.

    Processes that start together wait for one another. Raises StartupError, with the fix, when the database is newer
    than the code, cannot be written, or a migration fails.
    """
    path = sqlite_path(database_url)
    with _ONE_AT_A_TIME, _explained(path, package):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        config = _config(package)
        scripts = ScriptDirectory.from_config(config)
        engine = _engine(path)
        try:
            with engine.connect() as connection, connection.begin():
                _refuse_newer(connection, scripts, path, package)
                if _current(connection, package) != tuple(scripts.get_heads()):
                    _run(connection, config, package)
        finally:
            engine.dispose()


def head(package: str) -> str | None:
    """The newest revision that the code of `package` knows, None without migrations."""
    return ScriptDirectory.from_config(_config(package)).get_current_head()


def run_env(context: Any, metadata: MetaData) -> None:
    """All that a service's `migrations/env.py` has to call, with `alembic.context` and the service's metadata."""
    attributes = context.config.attributes
    context.configure(
        connection=attributes["connection"],
        target_metadata=metadata,
        version_table=attributes["version_table"],
        render_as_batch=True,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


def version_table(package: str) -> str:
    """Name of the table that holds the revision of `package`."""
    return f"{package}_version"


def _run(connection: Connection, config: Config, package: str) -> None:
    config.attributes.update(connection=connection, version_table=version_table(package))
    command.upgrade(config, "head")
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if broken is not None:
        raise StartupError(
            f"The migration of {package} would leave rows of table {broken[0]} that refer to missing rows of "
            f"{broken[2]}: nothing was changed; go back to the version of XGet before and report this."
        )


def _config(package: str) -> Config:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise StartupError(f"The package {package} is not installed: run make setup.")
    folder = Path(spec.submodule_search_locations[0]) / "migrations"
    config = Config(stdout=io.StringIO(), output_buffer=io.StringIO())
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _current(connection: Connection, package: str) -> tuple[str, ...]:
    context = MigrationContext.configure(connection, opts={"version_table": version_table(package)})
    return tuple(context.get_current_heads())


def _refuse_newer(connection: Connection, scripts: ScriptDirectory, path: Path, package: str) -> None:
    known = {script.revision for script in scripts.walk_revisions()}
    for revision in _current(connection, package):
        if revision not in known:
            raise StartupError(
                f"The database {path} has version {revision} of {package}, which is newer than this XGet "
                f"(it knows up to {scripts.get_current_head()}): install the newer XGet again, or put back a backup "
                "of the data folder from before the upgrade."
            )


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
