"""Rows that a statement is given as a set, the same on both databases."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Integer, String, select, true, update

from xget_db.engine import Database
from xget_db.given import Given
from xget_db.locks import is_postgres
from xget_db.upserts import insert

# PostgreSQL keeps no NUL, and neither keeps half a surrogate pair
WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)
ROWS = st.lists(st.tuples(WORDS, st.integers(-(2**31), 2**31 - 1)), max_size=8)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=ROWS)
async def test_rows_come_back_as_they_were_given(db: Database, rows: list[tuple[str, int]]) -> None:
    async with db.read() as session:
        each = Given[tuple[str, int]]({"word": String(), "number": Integer()}, postgres=is_postgres(session))
        query = select(each.rows.c.word, each.rows.c.number)
        assert [tuple(row) for row in await session.execute(query, each.values(rows))] == rows


@pytest.mark.parametrize("again", [False, True])
async def test_they_can_be_inserted_or_else_change_what_is_there(db: Database, sample: Any, again: bool) -> None:
    table = sample.Task.__table__
    async with db.transaction() as session:
        each = Given[tuple[str, str]]({"id": String(), "name": String()}, postgres=is_postgres(session))
        fresh = insert(session, table).from_select(["id", "name"], select(*each.rows.c).where(true()))
        changed = fresh.on_conflict_do_update(index_elements=["id"], set_={"name": fresh.excluded.name})
        for names in ("one", "two") if again else ("one",):
            await session.execute(changed, each.values([("a", names), ("b", names)]))
        renamed = update(table).where(table.c.id == each.rows.c.id).values(name=each.rows.c.name).returning(table.c.id)
        assert list(await session.scalars(renamed, each.values([("b", "last"), ("none", "none")]))) == ["b"]
        found = await session.execute(select(table.c.id, table.c.name).order_by(table.c.id))
        assert [tuple(row) for row in found] == [("a", "two" if again else "one"), ("b", "last")]
