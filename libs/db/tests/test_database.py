import asyncio
import sqlite3
import threading
import time

import pytest
from sqlalchemy import delete, func, insert, select, text
from sqlalchemy.exc import IntegrityError, OperationalError

from xget_db.engine import Database
from xget_kernel.errors import StartupError, Unavailable
from xget_testing.database import sqlite_url


async def count(db, table) -> int:
    async with db.read() as session:
        return await session.scalar(select(func.count()).select_from(table))


async def pragma(session, name: str):
    return await session.scalar(text(f"PRAGMA {name}"))


async def test_a_transaction_commits_at_the_end_of_its_block(db, sample):
    async with db.transaction() as session:
        session.add(sample.Task(id="a", name="x"))
        assert await count(db, sample.Task) == 0
    assert await count(db, sample.Task) == 1


async def test_an_error_in_the_block_rolls_back_and_passes_on(db, sample):
    async def fail() -> None:
        async with db.transaction() as session:
            session.add(sample.Task(id="a", name="x"))
            await session.flush()
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        await fail()
    assert await count(db, sample.Task) == 0


async def test_every_connection_is_durable_and_keeps_references(db):
    for block in (db.transaction, db.read):
        async with block() as session:
            assert await pragma(session, "journal_mode") == "wal"
            assert await pragma(session, "synchronous") == 2
            assert await pragma(session, "foreign_keys") == 1
            assert await pragma(session, "busy_timeout") == 10_000


async def test_a_broken_reference_stays_an_integrity_error(db, sample):
    with pytest.raises(IntegrityError):
        async with db.transaction() as session:
            session.add(sample.Run(id="r", task_id="nobody"))


async def test_reading_cannot_write(db, sample):
    with pytest.raises(OperationalError):
        async with db.read() as session:
            await session.execute(insert(sample.Task).values(id="a", name="x"))
    assert await count(db, sample.Task) == 0


async def test_a_reader_sees_one_state_and_does_not_wait_for_the_writer(db, sample):
    async with db.read() as reader:
        assert await reader.scalar(select(func.count()).select_from(sample.Task)) == 0
        async with db.transaction() as session:
            session.add(sample.Task(id="a", name="x"))
        assert await reader.scalar(select(func.count()).select_from(sample.Task)) == 0
    assert await count(db, sample.Task) == 1


async def test_objects_stay_readable_after_the_commit(db, sample):
    async with db.transaction() as session:
        task = sample.Task(id="a", name="x")
        session.add(task)
    assert task.name == "x"


async def test_concurrent_writers_lose_no_update(db, sample):
    async with db.transaction() as session:
        session.add(sample.Task(id="a", name="0"))

    async def increase() -> None:
        async with db.transaction() as session:
            task = await session.get_one(sample.Task, "a")
            await asyncio.sleep(0)
            task.name = str(int(task.name) + 1)

    await asyncio.gather(*(increase() for _ in range(50)))
    async with db.read() as session:
        assert (await session.get_one(sample.Task, "a")).name == "50"


async def test_two_databases_on_one_file_take_turns(db, path, sample):
    other = Database(sqlite_url(path))

    async def add(database: Database, number: int) -> None:
        async with database.transaction() as session:
            session.add(sample.Task(id=f"{number}", name="x"))

    await asyncio.gather(*(add((db, other)[number % 2], number) for number in range(60)))
    await other.close()
    assert await count(db, sample.Task) == 60


async def test_a_writer_cancelled_at_any_moment_harms_nobody(db, sample):
    async def write(number: int) -> None:
        async with db.transaction() as session:
            session.add(sample.Task(id=f"c{number}", name="x"))
            await session.flush()
            await asyncio.sleep(0.002)

    for number in range(60):
        task = asyncio.create_task(write(number))
        await asyncio.sleep(number / 10_000)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    async with db.transaction() as session:
        await session.execute(delete(sample.Task))
        session.add(sample.Task(id="after", name="x"))
    assert await count(db, sample.Task) == 1


async def test_a_lock_of_another_process_is_waited_for(db, path, sample):
    holder = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    holder.execute("BEGIN IMMEDIATE")
    timer = threading.Timer(0.15, holder.rollback)
    timer.start()
    began = time.monotonic()
    async with db.transaction() as session:
        session.add(sample.Task(id="a", name="x"))
    assert 0.1 < time.monotonic() - began < 5
    timer.join()
    holder.close()


async def test_a_writer_that_keeps_the_others_waiting_is_a_clear_answer(db, monkeypatch):
    monkeypatch.setattr("xget_db.engine.BUSY_SECONDS", 0.05)
    async with db.transaction():
        with pytest.raises(Unavailable, match="try again"):
            async with db.transaction():
                pass


async def test_a_result_larger_than_the_first_batch_comes_whole(db, sample):
    async with db.transaction() as session:
        await session.execute(insert(sample.Task), [{"id": f"{n:05}", "name": "x"} for n in range(2500)])
    async with db.read() as session:
        ids = (await session.scalars(select(sample.Task.id).order_by(sample.Task.id))).all()
        assert ids == [f"{n:05}" for n in range(2500)]
        streamed = await session.stream_scalars(select(sample.Task.id).order_by(sample.Task.id))
        assert [row async for row in streamed] == ids
    async with db.read() as session:
        streamed = await session.stream_scalars(select(sample.Task.id))
        await anext(streamed)
        await streamed.close()
        assert await session.scalar(select(func.count()).select_from(sample.Task)) == 2500


async def test_returning_and_row_counts_are_reported(db, sample):
    async with db.transaction() as session:
        given = await session.scalars(
            insert(sample.Task).returning(sample.Task.id), [{"id": f"{n}", "name": "x"} for n in range(3)]
        )
        assert sorted(given.all()) == ["0", "1", "2"]
        assert (await session.execute(delete(sample.Task).where(sample.Task.id != "0"))).rowcount == 2


def test_making_a_database_makes_its_folder(tmp_path):
    Database(sqlite_url(tmp_path / "deep" / "home" / "a.db"))
    assert (tmp_path / "deep" / "home").is_dir()


@pytest.mark.parametrize(
    "url",
    ["", "nonsense", "postgresql+asyncpg://u:hunter2@h/db", "sqlite+aiosqlite://", "sqlite+aiosqlite:///:memory:"],
)
def test_a_url_that_is_no_file_is_refused_with_the_fix(url):
    with pytest.raises(StartupError, match="DATABASE_URL") as caught:
        Database(url)
    assert "hunter2" not in str(caught.value)
