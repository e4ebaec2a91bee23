"""Databases for tests: real ones, gone with the test.

`database_url` runs a test on SQLite, and on PostgreSQL where there is one (marked `connected("postgres")`).
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager, contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, MetaData, text

from xget_db.engine import Database
from xget_db.engine.sqlite import sqlite_path
from xget_db.migrations import upgrade, version_table
from xget_db.postgres.address import is_postgres, parse
from xget_kernel.ids import new_id
from xget_testing.engines import url_of

__all__ = ["database_url", "postgres_schema", "tables_made"]

BOTH: Final = ("sqlite", pytest.param("postgres", marks=pytest.mark.connected("postgres")))
"""`params=` of fixtures that run on both databases."""

_FIRST_NUMBERS: Final = """
    SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false)
    FROM pg_sequences WHERE schemaname = current_schema() AND last_value IS NOT NULL
"""

_T = TypeVar("_T")


@pytest.fixture(params=BOTH)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of an empty database: a file that is not there yet, or a schema that is not there yet."""
    if request.param == "sqlite":
        yield sqlite_url(tmp_path / "tables.db")
        return
    with fresh_schema(url_of("postgres")) as url:
        yield url


@pytest.fixture
def postgres_schema() -> Iterator[str]:
    """URL of a schema on PostgreSQL that is not there yet."""
    with fresh_schema(url_of("postgres")) as url:
        yield url


@pytest.fixture(scope="session")
def tables_made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str, str], str]]:
    """Gives the URL of a package's tables on an engine, made once."""
    with ExitStack() as stack:

        @cache
        def make(package: str, engine: str) -> str:
            if engine == "sqlite":
                url = sqlite_url(tmp_path_factory.mktemp("tables") / "tables.db")
            else:
                url = stack.enter_context(fresh_schema(url_of(engine)))
            upgrade(url, package)
            return url

        yield make


def tables_of(package: str) -> Any:
    """A fixture `database_url`: the tables that the migrations of `package` make, empty for each test.

    On SQLite it is the file `<service>.db` of the test's folder. The conftest imports `tables_made` beside it.
    """

    @pytest.fixture(params=BOTH)
    def database_url(
        request: pytest.FixtureRequest, tmp_path: Path, tables_made: Callable[[str, str], str]
    ) -> Iterator[str]:
        made = tables_made(package, request.param)
        if is_postgres(made):
            yield made
            in_database(made, _empty)
        else:
            path = tmp_path / f"{package.removeprefix('xget_')}.db"
            shutil.copy(sqlite_path(made), path)
            yield sqlite_url(path)

    return database_url


def _empty(connection: Connection) -> None:
    """Only what is not empty: each table that is truncated gets new files, and so do its indexes."""
    names = [name for name in connection.dialect.get_table_names(connection) if not name.endswith("_version")]
    asked = " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT FROM {name})" for name in names)  # noqa: S608 - names of our own
    held = connection.execute(text(asked)).scalars().all()
    if held:
        connection.execute(text(f"TRUNCATE {', '.join(held)} RESTART IDENTITY CASCADE"))
    connection.execute(text(_FIRST_NUMBERS))  # what was deleted or rolled back has used some up, too


def sqlite_url(path: Path) -> str:
    """URL of the SQLite file at `path`."""
    return f"sqlite+aiosqlite:///{path}"


@contextmanager
def fresh_schema(server: str) -> Iterator[str]:
    """URL of a schema with a name of its own, dropped afterwards."""
    schema = f"t_{new_id().replace('-', '')}"
    parts = urlsplit(server)
    try:
        yield urlunsplit(("postgresql+asyncpg", parts.netloc, parts.path, f"search_path={schema}", ""))
    finally:
        run_sql(server, f'DROP SCHEMA IF EXISTS "{schema}" CASCADE')


def run_sql(server: str, *statements: str) -> None:
    """Run statements on a PostgreSQL server, each by itself; blocks."""

    async def run() -> None:
        connection: Any = await asyncpg.connect(parse(server).dsn)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    with ThreadPoolExecutor(1) as thread:  # the test may have a loop of its own in this one
        thread.submit(asyncio.run, run()).result()


@asynccontextmanager
async def migrated(package: str, place: Path | str) -> AsyncIterator[Database]:
    """A database at a path or URL with the tables that the migrations of `package` make."""
    url = _url(place)
    await asyncio.to_thread(upgrade, url, package)
    database = Database(url)
    try:
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def created(metadata: MetaData, place: Path | str) -> AsyncIterator[Database]:
    """A database at a path or URL with the tables of `metadata`, made where they are missing."""
    url = _url(place)
    if is_postgres(url):
        await asyncio.to_thread(run_sql, url, f'CREATE SCHEMA IF NOT EXISTS "{parse(url).schema}"')
    database = Database(url)
    try:
        async with database.engine.begin() as connection:
            await connection.run_sync(metadata.create_all)
        yield database
    finally:
        await database.close()


def assert_tables_match(package: str, metadata: MetaData, place: Path | str) -> None:
    """Fail unless the migrations of `package` make exactly the tables of its models, in a folder or at a URL."""
    url = place if isinstance(place, str) else sqlite_url(place / f"{package}_tables.db")
    upgrade(url, package)

    def differing(connection: Connection) -> Any:
        options = {"compare_type": True, "version_table": version_table(package)}
        return compare_metadata(MigrationContext.configure(connection, opts=options), metadata)

    differences = in_database(url, differing)
    assert not differences, f"Write a migration: models and tables of {package} differ: {differences}"


def table_names(url: str) -> set[str]:
    """Names of the tables there are."""

    def listed(connection: Connection) -> set[str]:
        return set(connection.dialect.get_table_names(connection))

    return in_database(url, listed)


def query(url: str, sql: str) -> list[tuple[Any, ...]]:
    """Rows of a statement; its changes are committed."""

    def run(connection: Connection) -> list[tuple[Any, ...]]:
        result = connection.execute(text(sql))
        return [tuple(row) for row in result] if result.returns_rows else []

    return in_database(url, run)


def everything_in(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """All rows by table."""
    return {name: query(url, f'SELECT * FROM "{name}"') for name in table_names(url)}  # noqa: S608 - names of our own


def in_database(url: str, work: Callable[[Connection], _T]) -> _T:
    """What `work(connection)` gives, in one transaction; blocks."""

    async def run() -> _T:
        database = Database(url)
        try:
            async with database.engine.begin() as connection:
                return await connection.run_sync(work)
        finally:
            await database.close()

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, run()).result()


def _url(place: Path | str) -> str:
    return place if isinstance(place, str) else sqlite_url(place)
