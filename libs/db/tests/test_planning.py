"""A table that has grown at once is counted anew, so that PostgreSQL plans for what is in it now."""

from __future__ import annotations

from typing import Any

from sqlalchemy import insert

from xget_db.engine import Database
from xget_db.planning import grown


async def _add(db: Database, table: Any, first: int, count: int) -> list[bool]:
    rows = [{"id": f"{first + n}", "name": "n" * 1000} for n in range(count)]
    async with db.transaction() as session:
        await session.execute(insert(table), rows)
        return [await grown(session, table) for _ in range(2)]


async def test_a_table_is_counted_when_it_has_doubled_and_not_before(db: Database, sample: Any) -> None:
    postgres, table = db.dialect == "postgresql", sample.Task.__table__
    assert await _add(db, table, 0, 20) == [False, False], "few"
    assert await _add(db, table, 20, 1000) == [postgres, False]
    assert await _add(db, table, 1020, 200) == [False, False]
    assert await _add(db, table, 1220, 1800) == [postgres, False]


async def test_who_counts_at_the_same_moment_is_not_waited_for(db: Database, sample: Any) -> None:
    table = sample.Task.__table__
    await _add(db, table, 0, 20)
    async with db.transaction() as first:
        await first.execute(insert(table), [{"id": f"a{n}", "name": "n" * 1000} for n in range(1000)])
        await grown(first, table)
        if db.dialect == "postgresql":  # on SQLite who writes is alone
            await _add(db, table, 20, 1000)
