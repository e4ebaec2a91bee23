"""Many new proxies: PostgreSQL knows at once how many there are, so that the next ones are compared by an index."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from xget_db.engine import Database
from xget_kernel.clock import SystemClock
from xget_proxy.repository import ProxyRepository
from xget_proxy.service.proxies import fresh


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = Database(database_url)
    yield opened
    await opened.close()


async def test_a_list_of_three_thousand_is_known_to_be_so_long(database: Database) -> None:
    places = [("http", f"9.9.{n >> 8}.{n & 255}", 8080, "user") for n in range(3000)]
    async with database.transaction() as session:
        proxies = ProxyRepository(session)
        assert await proxies.same("ada", places) == []
        await proxies.add([fresh("ada", place, SystemClock().now()) for place in places])
    async with database.transaction() as session:
        assert len(await ProxyRepository(session).same("ada", places)) == 3000
        if database.dialect == "postgresql":
            known = await session.scalar(text("SELECT reltuples FROM pg_class WHERE oid = to_regclass('proxies')"))
            assert known == 3000
