"""Databases for tests: real files, gone with the test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import MetaData, NullPool, create_engine

from xget_db.engine import Database
from xget_db.migrations import upgrade, version_table


def sqlite_url(path: Path) -> str:
    """URL of the SQLite file at `path`."""
    return f"sqlite+aiosqlite:///{path}"


@asynccontextmanager
async def migrated(package: str, path: Path) -> AsyncIterator[Database]:
    """A database at `path` with the tables that the migrations of `package` make."""
    await asyncio.to_thread(upgrade, sqlite_url(path), package)
    database = Database(sqlite_url(path))
    try:
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def created(metadata: MetaData, path: Path) -> AsyncIterator[Database]:
    """A database at `path` with the tables of `metadata`, made where they are missing."""
    database = Database(sqlite_url(path))
    try:
        async with database.engine.begin() as connection:
            await connection.run_sync(metadata.create_all)
        yield database
    finally:
        await database.close()


def assert_tables_match(package: str, metadata: MetaData, folder: Path) -> None:
    """Fail unless the migrations of `package` make exactly the tables of its models."""
    path = folder / f"{package}_tables.db"
    upgrade(sqlite_url(path), package)
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool)
    with engine.connect() as connection:
        options = {"compare_type": True, "version_table": version_table(package)}
        context = MigrationContext.configure(connection, opts=options)
        differences = compare_metadata(context, metadata)
    engine.dispose()
    assert not differences, f"Write a migration: models and tables of {package} differ: {differences}"
