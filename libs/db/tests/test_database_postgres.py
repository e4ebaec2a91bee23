"""What only PostgreSQL does: many writers at once, notifications, and a server that goes away."""

import asyncio

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError

from xget_db.engine import Database
from xget_db.failures import translate
from xget_db.inbox import seen
from xget_db.locks import in_turn, locked
from xget_db.outbox import Outbox
from xget_db.postgres.address import parse
from xget_kernel.errors import Full, Unavailable

pytestmark = pytest.mark.connected("postgres")


async def add(db, sample, *names):
    async with db.transaction() as session:
        session.add_all(sample.Task(id=name, name="x") for name in names)


async def test_it_answers_with_its_version(server):
    assert 0 < await server.ping() < 60
    assert (await server.version()).startswith("PostgreSQL ")


async def test_locked_rows_are_decided_upon_one_after_the_other(server, sample):
    await add(server, sample, "a")

    async def lengthen() -> None:
        async with server.transaction() as session:
            task = await session.scalar(locked(session, select(sample.Task)))
            await asyncio.sleep(0.002)
            task.name += "x"

    await asyncio.gather(*(lengthen() for _ in range(20)))
    async with server.read() as session:
        assert await session.scalar(locked(session, select(sample.Task.name))) == "x" * 21


async def test_what_is_not_there_yet_is_decided_upon_in_turn(server, sample):
    async def first() -> bool:
        async with server.transaction() as session:
            await in_turn(session, "first")
            if await session.scalar(select(sample.Task)):
                return False
            await asyncio.sleep(0.01)
            session.add(sample.Task(id="a", name="x"))
            return True

    assert sum(await asyncio.gather(*(first() for _ in range(8)))) == 1


async def test_a_message_that_comes_twice_at_once_is_seen_once(server, sample):
    async def take() -> bool:
        async with server.transaction() as session:
            again = await seen(session, "c", "m")
            await asyncio.sleep(0.01)
            return again

    assert sorted(await asyncio.gather(*(take() for _ in range(6)))) == [False] + [True] * 5


async def test_two_who_wait_for_one_another_are_told_to_come_again(server, sample):
    await add(server, sample, "a", "b")

    both = asyncio.Barrier(2)

    async def change(first, second) -> None:
        async with server.transaction() as session:
            await session.execute(update(sample.Task).where(sample.Task.id == first).values(name=first))
            await both.wait()
            await session.execute(update(sample.Task).where(sample.Task.id == second).values(name=first))

    outcomes = await asyncio.gather(change("a", "b"), change("b", "a"), return_exceptions=True)
    (error,) = [outcome for outcome in outcomes if outcome is not None]
    assert isinstance(error, Unavailable)
    assert error.headers["Retry-After"] == "1"


async def test_a_commit_elsewhere_is_heard_of_at_once(server, sample):
    elsewhere = Database(f"{server.url}&application_name=elsewhere")  # another address: it shares nothing in process
    heard = asyncio.Event()
    stop = server.on_commit(heard.set)
    await heard.wait()  # it listens
    heard.clear()
    async with elsewhere.transaction() as session:
        Outbox(session).emit("t", "k", sample.Made(1))
    async with asyncio.timeout(25):  # nothing but the word itself comes so early: the listener looks each 30 s
        await heard.wait()
    stop()
    await elsewhere.close()


async def test_lost_connections_are_replaced_and_the_listener_comes_back(server, sample):
    await add(server, sample, "a")
    elsewhere = Database(f"{server.url}&application_name=killer")
    heard = asyncio.Event()
    server.on_commit(heard.set)
    await heard.wait()
    heard.clear()
    async with elsewhere.transaction() as session:
        ours = f"LISTEN%{parse(server.url).channel}%"
        await session.execute(
            text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE :ours"), {"ours": ours}
        )
    async with asyncio.timeout(25):  # as above
        await heard.wait()
    await add(server, sample, "b")
    await elsewhere.close()


async def test_a_connection_that_ends_within_a_transaction_is_503_and_the_next_works(server, sample):
    async def work() -> None:
        async with server.transaction() as session:
            pid = await session.scalar(text("SELECT pg_backend_pid()"))
            async with server.read() as other:
                await other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
            session.add(sample.Task(id="lost", name="x"))

    with pytest.raises(Unavailable, match="PostgreSQL"):
        await work()
    await add(server, sample, "kept")
    async with server.read() as session:
        assert (await session.scalars(select(sample.Task.id))).all() == ["kept"]


async def test_a_statement_that_takes_too_long_is_503(server):
    quick = Database(f"{server.url}&statement_timeout=500ms")
    with pytest.raises(Unavailable, match="took too long"):
        async with quick.read() as session:
            await session.execute(text("SELECT pg_sleep(60)"))
    await quick.close()


async def test_a_pool_without_room_is_503(server):
    small = Database(f"{server.url}&pool_size=1&max_overflow=0&pool_timeout=1")
    async with small.read() as session:
        await session.execute(text("SELECT 1"))
        with pytest.raises(Unavailable, match="busy"):
            async with small.transaction():
                pass
    await small.close()


async def test_a_server_that_is_not_there_is_503():
    nowhere = Database("postgresql+asyncpg://u:hunter2@127.0.0.1:9/db?search_path=s")
    with pytest.raises(Unavailable, match="PostgreSQL does not answer") as caught:
        await nowhere.ping()
    assert "hunter2" not in str(caught.value)
    await nowhere.close()


@pytest.mark.parametrize(
    ("state", "kind"),
    [("53100", Full), ("58030", Full), ("53300", Unavailable), ("57P03", Unavailable), ("08006", Unavailable),
     ("40001", Unavailable), ("25006", Unavailable)],
)  # fmt: skip
def test_what_postgres_says_becomes_a_sentence_with_a_status(state, kind):
    error = type("Error", (Exception,), {"sqlstate": state})()
    known = translate(error)
    assert isinstance(known, kind)
    assert known.detail.endswith(".")


async def test_other_errors_are_left_alone(server):
    with pytest.raises(DBAPIError, match="nowhere"):
        async with server.read() as session:
            await session.execute(text("SELECT * FROM nowhere"))
