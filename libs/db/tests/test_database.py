import asyncio

import pytest
from sqlalchemy import delete, func, insert, select
from sqlalchemy.exc import DBAPIError, IntegrityError


async def count(db, table) -> int:
    async with db.read() as session:
        return await session.scalar(select(func.count()).select_from(table))


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


async def test_a_broken_reference_stays_an_integrity_error(db, sample):
    with pytest.raises(IntegrityError):
        async with db.transaction() as session:
            session.add(sample.Run(id="r", task_id="nobody"))


async def test_reading_cannot_write(db, sample):
    with pytest.raises(DBAPIError):
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
            task = await session.get_one(sample.Task, "a", with_for_update=True)
            await asyncio.sleep(0)
            task.name = str(int(task.name) + 1)

    await asyncio.gather(*(increase() for _ in range(50)))
    async with db.read() as session:
        assert (await session.get_one(sample.Task, "a")).name == "50"


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
