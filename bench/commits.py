"""One-row commits by nothing but the engine's driver: what a lease cannot be quicker than on this disk."""

from __future__ import annotations

import asyncio
import random
import time
from typing import Any, Final

from sqlalchemy import text

from xget_db.engine import Database

CONNECTIONS: Final = 8
_MAKE: Final = "CREATE TABLE bare (id INTEGER PRIMARY KEY, n INTEGER NOT NULL)"
_CHANGE: Final = "UPDATE bare SET n = n + 1 WHERE id = {}"


async def commits(database: Database, takers: int, seconds: float, page_seconds: float) -> list[float]:
    """Seconds of each commit, of as many `takers` as ask for leases and as often; a second commit gives back."""
    async with database.transaction() as session:
        await session.execute(text(_MAKE))
        await session.execute(text("INSERT INTO bare VALUES (:id, 0)"), [{"id": n} for n in range(takers)])
    waits: list[float] = []
    end = time.perf_counter() + seconds
    idle: asyncio.Queue[Any] = asyncio.Queue()
    count = 1 if database.dialect == "sqlite" else CONNECTIONS  # a file has one writer
    opened = [await database.engine.connect() for _ in range(count)]
    for connection in opened:
        idle.put_nowait((await connection.get_raw_connection()).driver_connection)

    async def commit(number: int) -> None:
        driver, change = await idle.get(), _CHANGE.format(number)
        if database.dialect == "sqlite":
            await driver.run(lambda raw: raw.execute(change))
        else:
            await driver.execute(change)
        idle.put_nowait(driver)

    async def taker(number: int) -> None:
        await asyncio.sleep(random.random() * page_seconds)
        while time.perf_counter() < end:
            began = time.perf_counter()
            await commit(number)
            waits.append(time.perf_counter() - began)
            await asyncio.sleep(page_seconds * random.uniform(0.8, 1.2))
            await commit(number)

    await asyncio.gather(*(taker(number) for number in range(takers)))
    for connection in opened:
        await connection.close()
    return waits
