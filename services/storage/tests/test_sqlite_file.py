"""The files: one layout for all, refused when newer, clear when full, safe to close twice."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from xget_kernel.errors import Full, StartupError, Unavailable
from xget_storage.adapters.sqlite_documents import reading
from xget_storage.adapters.sqlite_file import SqliteFile
from xget_storage.adapters.stores import Stores
from xget_storage.ports import ItemFilter
from xget_storage.settings import Settings
from xget_testing.contracts.pages import START, make_item, make_page

SCHEMA = ("CREATE TABLE a (x BLOB)", "CREATE TABLE b (x INTEGER)")


async def test_a_file_of_a_newer_version_is_refused_with_the_fix(tmp_path: Path) -> None:
    async with Stores.opened(Settings(home=tmp_path)):
        pass
    with closing(sqlite3.connect(tmp_path / "search.db")) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(StartupError, match="newer XGet"):
        async with Stores.opened(Settings(home=tmp_path)):
            pass


async def test_an_older_file_is_brought_up_to_date(tmp_path: Path) -> None:
    old = SqliteFile(tmp_path / "a.db", SCHEMA[:1])
    await old.write(lambda c: c.execute("INSERT INTO a VALUES (1)"))
    await old.close()
    new = SqliteFile(tmp_path / "a.db", SCHEMA)
    rows = await new.read(lambda c: c.execute("SELECT (SELECT count(*) FROM a), (SELECT count(*) FROM b)").fetchone())
    assert rows == (1, 0)
    await new.close()


async def test_several_may_open_a_new_file_at_once(tmp_path: Path) -> None:
    files = [SqliteFile(tmp_path / "a.db", SCHEMA) for _ in range(4)]
    await asyncio.gather(*(file.open() for file in files))
    await asyncio.gather(*(file.write(lambda c: c.execute("INSERT INTO a VALUES (1)")) for file in files))
    count = await files[0].read(lambda c: c.execute("SELECT count(*) FROM a").fetchone()[0])
    assert count == 4
    await asyncio.gather(*(file.close() for file in files))


async def test_a_full_disk_is_said_clearly_and_loses_nothing(tmp_path: Path) -> None:
    file = SqliteFile(tmp_path / "a.db", SCHEMA)
    await file.write(lambda c: c.execute("INSERT INTO a VALUES (1)"))
    await file.write(lambda c: None)

    def overflow(connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA max_page_count = 8")
        connection.execute("INSERT INTO a VALUES (zeroblob(1000000))")

    with pytest.raises(Full, match="make room"):
        await file.write(overflow)
    assert await file.read(lambda c: c.execute("SELECT count(*) FROM a").fetchone()[0]) == 1
    await file.close()


async def test_a_failed_batch_leaves_nothing_behind(tmp_path: Path) -> None:
    async with Stores.opened(Settings(home=tmp_path)) as stores:
        broken = make_page(1, [make_item(1), make_item(2, author_username="\ud83d")])
        with pytest.raises(UnicodeEncodeError):
            await stores.documents.store_pages([broken], START)
        (answer,) = await stores.documents.store_pages([make_page(1, [make_item(1)])], START)
        assert answer.new == 1


async def test_a_closed_file_says_that_it_stops(tmp_path: Path) -> None:
    file = SqliteFile(tmp_path / "a.db", SCHEMA)
    await file.close()
    await file.close()
    with pytest.raises(Unavailable):
        await file.read(lambda c: None)


async def test_lists_are_counted_without_reading_documents(tmp_path: Path) -> None:
    async with Stores.opened(Settings(home=tmp_path)) as stores:
        await stores.documents.store_pages([make_page(1, [make_item(1), make_item(2)])], START)
    with closing(sqlite3.connect(tmp_path / "documents.db")) as connection:
        for wanted in (
            ItemFilter(),
            ItemFilter(lang="en", kind="post"),
            ItemFilter(author="ada"),
            ItemFilter(owner="u1"),
        ):
            asked: list[str] = []
            connection.set_trace_callback(asked.append)
            reading.find(connection, wanted, 1, 0, None)
            connection.set_trace_callback(None)
            (count,) = [sql for sql in asked if "count(*)" in sql]
            (plan,) = connection.execute(f"EXPLAIN QUERY PLAN {count}")
            assert "COVERING INDEX" in plan[3] or "USING PRIMARY KEY" in plan[3]
