"""A connection's thread when who asked it has gone."""

import asyncio
import sqlite3
import threading

import pytest

from xget_db.driver import FastConnection, connect

SECONDS = 60


class Held:
    """A step that lasts until it is let go."""

    def __init__(self) -> None:
        self.begun, self.free = threading.Event(), threading.Event()

    def __call__(self, _raw: sqlite3.Connection) -> None:
        self.begun.set()
        assert self.free.wait(SECONDS)


def is_open(raw: sqlite3.Connection) -> bool:
    try:
        raw.execute("SELECT 1")
    except sqlite3.ProgrammingError:
        return False
    return True


@pytest.fixture
def loud(monkeypatch):
    """What threads die of."""
    died = []
    monkeypatch.setattr(threading, "excepthook", died.append)
    return died


def test_a_step_that_outlives_its_loop_ends_quietly_and_the_file_is_closed(path, loud):
    held = Held()

    async def cut_off() -> FastConnection:
        connection = await connect(path, [])
        asking = asyncio.create_task(connection.run(held))
        assert await asyncio.to_thread(held.begun.wait, SECONDS)
        asking.cancel()
        connection.stop()
        return connection

    connection = asyncio.run(cut_off())
    raw = connection.raw
    held.free.set()
    connection._thread.join(SECONDS)
    assert not connection._thread.is_alive()
    assert loud == []
    assert not is_open(raw)


def test_a_step_that_fails_after_its_loop_ends_quietly_too(path, loud):
    held = Held()

    def failing(raw: sqlite3.Connection) -> None:
        held(raw)
        raw.execute("SELECT nothing")

    async def cut_off() -> FastConnection:
        connection = await connect(path, [])
        asking = asyncio.create_task(connection.run(failing))
        assert await asyncio.to_thread(held.begun.wait, SECONDS)
        asking.cancel()
        connection.stop()
        return connection

    connection = asyncio.run(cut_off())
    held.free.set()
    connection._thread.join(SECONDS)
    assert not connection._thread.is_alive()
    assert loud == []


async def test_a_connection_opened_for_somebody_who_had_gone_is_closed(path, monkeypatch):
    begun, free, made = threading.Event(), threading.Event(), []
    opened = sqlite3.connect

    def slow(*given, **named):
        begun.set()
        assert free.wait(SECONDS)
        made.append(opened(*given, **named))
        return made[0]

    monkeypatch.setattr(sqlite3, "connect", slow)
    opening = asyncio.create_task(connect(path, []))
    assert await asyncio.to_thread(begun.wait, SECONDS)
    opening.cancel()
    await asyncio.wait([opening])
    free.set()
    async with asyncio.timeout(SECONDS):
        while not made or is_open(made[0]):  # noqa: ASYNC110 - a thread closes it
            await asyncio.sleep(0.001)


async def test_a_connection_that_cannot_be_told_its_settings_is_closed_and_says_why(path):
    with pytest.raises(sqlite3.OperationalError, match="syntax error"):
        await connect(path, ["PRAGMA ="])
