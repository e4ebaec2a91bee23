"""A server that is killed and comes back: what was committed is there, and nobody has to be started again."""

import asyncio

import pytest
from sqlalchemy import select

from xget_db.engine import Database
from xget_db.outbox import Outbox, OutboxRelay
from xget_kernel.clock import SystemClock
from xget_kernel.errors import Unavailable
from xget_testing.database import created
from xget_testing.engines import OwnEngines

SEND_SECONDS = 90


@pytest.mark.connected("postgres")
@pytest.mark.slow
async def test_a_killed_server_loses_nothing_and_is_used_again_when_it_is_back(sample):
    class Log:
        def __init__(self):
            self.sent = []

        async def publish(self, messages):
            self.sent += [message.key for message in messages]

    own, log, stop, kept = OwnEngines("db"), Log(), asyncio.Event(), []
    urls = await asyncio.to_thread(own.start, "postgres")
    url = urls["postgres"].replace("postgresql://", "postgresql+asyncpg://") + "?search_path=sample"

    async def write(db: Database, number: int) -> None:
        async with db.transaction() as session:
            session.add(sample.Task(id=f"{number:04}", name="x"))
            Outbox(session).emit("t", f"{number:04}", sample.Made(number))
        kept.append(f"{number:04}")

    try:
        async with created(sample.metadata, url) as db:
            relaying = asyncio.create_task(OutboxRelay(db, sample.outbox, log, SystemClock()).run(stop))
            refused = 0
            for number in range(1, 121):
                if number == 20:
                    await asyncio.to_thread(own.kill, "postgres")
                if number == 40:
                    await asyncio.to_thread(own.start, "postgres")
                try:
                    await write(db, number)
                except Unavailable:
                    refused += 1
                await asyncio.sleep(0.02)
            assert refused >= 20
            assert kept[-1] == "0120", "it is used again"
            async with asyncio.timeout(SEND_SECONDS):
                while not set(kept) <= set(log.sent):  # noqa: ASYNC110 - the relay has no event for it
                    await asyncio.sleep(0.1)
            async with db.read() as session:
                stored = set((await session.scalars(select(sample.Task.id))).all())
            assert set(kept) <= stored
            stop.set()
            await relaying
    finally:
        await asyncio.to_thread(own.stop)
