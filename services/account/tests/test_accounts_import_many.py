"""A thousand lines cost a few statements, and finding their names costs what they are, not what the table is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2 as httpx
from fastapi import FastAPI
from sqlalchemy import event, text

from xget_account.repository import AccountRepository
from xget_db.engine import Database

MOST_A_THOUSAND = 20
"""Statements, those of the relay that sends what is announced left out."""


def _lines(first: int, count: int) -> str:
    cookies = f"auth_token={'a' * 40}; ct0={'c' * 64}"
    return "\n".join(f"user{n}:secret:user{n}@example.org:mail:{cookies}" for n in range(first, first + count))


async def _take(client: httpx.AsyncClient, first: int, count: int) -> dict[str, Any]:
    answer = await client.post("/api/v1/accounts/import", json={"text": _lines(first, count)})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


@contextmanager
def _said(database: Database) -> Iterator[list[tuple[str, Any]]]:
    """Statements of this service's transactions, with their values."""
    said: list[tuple[str, Any]] = []

    def hear(_c: Any, _cursor: Any, statement: str, values: Any, _context: Any, _many: bool) -> None:
        if "outbox" not in statement or statement.startswith("INSERT"):
            said.append((statement, values))

    engine = database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", hear)
    yield said
    event.remove(engine, "before_cursor_execute", hear)


async def test_a_thousand_lines_are_a_few_statements(app: FastAPI, client: httpx.AsyncClient) -> None:
    database: Database = app.state.account.database
    for first in (0, 1000):
        with _said(database) as said:
            assert (await _take(client, first, 1000))["created"] == 1000
        assert len(said) <= MOST_A_THOUSAND, "\n".join(statement[:100] for statement, _ in said)
    with _said(database) as said:
        assert (await _take(client, 0, 1000))["unchanged"] == 1000
    assert len(said) <= MOST_A_THOUSAND, "\n".join(statement[:100] for statement, _ in said)


async def test_names_are_found_by_their_index_as_soon_as_the_table_has_grown(
    app: FastAPI, client: httpx.AsyncClient
) -> None:
    database: Database = app.state.account.database
    for first in (0, 1000, 2000):
        await _take(client, first, 1000)
    with _said(database) as said:
        async with database.transaction() as session:
            found = await AccountRepository(session).by_username("ada", "x", [f"user{n}" for n in range(0, 3000, 30)])
    assert len(found) == 100
    (lookup,) = [one for one in said if "username_key IN" in one[0]]
    sqlite = database.dialect == "sqlite"
    async with database.engine.connect() as connection:
        if not sqlite:  # as one that was prepared when the table was empty would be
            await connection.execute(text("SET plan_cache_mode = force_generic_plan"))
        plan = await connection.exec_driver_sql(f"EXPLAIN {'QUERY PLAN ' if sqlite else ''}{lookup[0]}", lookup[1])
        steps = "\n".join(str(row[-1]) for row in plan)
    index = "sqlite_autoindex_accounts_2" if sqlite else "uq_accounts_owner_id_platform_username_key"
    assert index in steps, steps
