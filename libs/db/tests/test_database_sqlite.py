import asyncio
import sqlite3

import pytest
from sqlalchemy import func, select, text

from xget_db.engine import Database
from xget_kernel.errors import StartupError, Unavailable
from xget_testing.database import sqlite_url


async def count(file, table) -> int:
    async with file.read() as session:
        return await session.scalar(select(func.count()).select_from(table))


async def pragma(session, name: str):
    return await session.scalar(text(f"PRAGMA {name}"))


async def test_every_connection_is_durable_and_keeps_references(file):
    for block in (file.transaction, file.read):
        async with block() as session:
            assert await pragma(session, "journal_mode") == "wal"
            assert await pragma(session, "synchronous") == 2
            assert await pragma(session, "foreign_keys") == 1
            assert await pragma(session, "busy_timeout") == 10_000


async def test_two_databases_on_one_file_take_turns(file, path, sample):
    other = Database(sqlite_url(path))

    async def add(database: Database, number: int) -> None:
        async with database.transaction() as session:
            session.add(sample.Task(id=f"{number}", name="x"))

    await asyncio.gather(*(add((file, other)[number % 2], number) for number in range(60)))
    await other.close()
    assert await count(file, sample.Task) == 60


async def test_a_lock_of_another_process_is_waited_for(file, path, sample):
    holder = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    holder.execute("BEGIN IMMEDIATE")

    async def write() -> None:
        async with file.transaction() as session:
            session.add(sample.Task(id="a", name="x"))

    writing = asyncio.create_task(write())
    await asyncio.sleep(0.15)
    assert not writing.done()
    holder.rollback()
    await writing
    holder.close()


async def test_a_writer_that_keeps_the_others_waiting_is_a_clear_answer(file, monkeypatch):
    monkeypatch.setattr("xget_db.engine.sqlite.BUSY_SECONDS", 0.05)
    async with file.transaction():
        with pytest.raises(Unavailable, match="try again"):
            async with file.transaction():
                pass


def test_making_a_database_makes_its_folder(tmp_path):
    Database(sqlite_url(tmp_path / "deep" / "home" / "a.db"))
    assert (tmp_path / "deep" / "home").is_dir()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "nonsense",
        "postgresql+asyncpg://u:hunter2@h",
        "mysql://u:hunter2@h/db",
        "sqlite+aiosqlite://",
        "sqlite+aiosqlite:///:memory:",
    ],
)
def test_a_url_that_is_no_file_is_refused_with_the_fix(url):
    with pytest.raises(StartupError, match="DATABASE_URL") as caught:
        Database(url)
    assert "hunter2" not in str(caught.value)
