import os
import sqlite3

import pytest
from sqlalchemy import func, select, text

from xget_db.engine import Database
from xget_db.failures import translate, translated
from xget_kernel.errors import Full, Unavailable
from xget_testing.database import sqlite_url


def driver_error(name: str, message: str) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError(message)
    error.sqlite_errorname = name
    return error


@pytest.mark.parametrize(
    ("name", "message", "kind", "says"),
    [
        ("SQLITE_FULL", "database or disk is full", Full, "free some space"),
        ("SQLITE_IOERR_WRITE", "disk I/O error", Full, "check the disk"),
        ("SQLITE_READONLY_DIRECTORY", "attempt to write a readonly database", Full, "XGET_HOME"),
        ("SQLITE_CANTOPEN", "unable to open database file", Full, "XGET_HOME"),
        ("SQLITE_BUSY", "database is locked", Unavailable, "try again"),
        ("SQLITE_BUSY_SNAPSHOT", "database is locked", Unavailable, "try again"),
    ],
)
def test_what_sqlite_says_becomes_a_sentence_with_a_status(name, message, kind, says):
    for error in (driver_error(name, message), sqlite3.OperationalError(message)):
        known = translate(error)
        assert isinstance(known, kind)
        assert says in known.detail


def test_other_errors_are_left_alone():
    assert translate(driver_error("SQLITE_ERROR", "no such table: x")) is None
    assert translate(KeyError()) is None
    with pytest.raises(sqlite3.IntegrityError), translated(writing=True):
        raise sqlite3.IntegrityError("UNIQUE constraint failed")


async def test_a_full_disk_is_507_and_loses_nothing(file, sample):
    async with file.transaction() as session:
        session.add(sample.Task(id="kept", name="x"))
        pages = await session.scalar(text("PRAGMA page_count"))
    async with file.transaction() as session:
        await session.execute(text(f"PRAGMA max_page_count = {pages + 2}"))
    with pytest.raises(Full, match="disk is full"):
        async with file.transaction() as session:
            session.add(sample.Task(id="big", name="x" * 100_000))
    async with file.read() as session:
        assert await session.scalar(select(func.count()).select_from(sample.Task)) == 1
    async with file.transaction() as session:
        await session.execute(text("PRAGMA max_page_count = 1000000"))
        session.add(sample.Task(id="later", name="x"))


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser writes everywhere")
async def test_a_folder_without_the_right_to_write_is_507(tmp_path, sample):
    folder = tmp_path / "home"
    folder.mkdir(mode=0o500)
    db = Database(sqlite_url(folder / "a.db"))
    with pytest.raises(Full, match="XGET_HOME"):
        async with db.transaction():
            pass
    await db.close()


async def test_a_path_that_cannot_be_opened_is_507(tmp_path):
    (tmp_path / "a.db").mkdir()
    db = Database(sqlite_url(tmp_path / "a.db"))
    for block in (db.transaction, db.read):
        with pytest.raises(Full, match="cannot be written"):
            async with block() as session:
                await session.execute(text("SELECT 1"))
    await db.close()
