"""What is asked of very many accounts goes along an index: SQLite would sort whole accounts, and in memory.

PostgreSQL plans by what is in its tables, so only SQLite is asked here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession

from xget_account.repository import AccountRepository, LoginRepository
from xget_account.repository.figures import FigureRepository
from xget_account.schemas import AccountFilter
from xget_db.engine import Database
from xget_db.migrations import upgrade
from xget_kernel.pages import PageQuery
from xget_testing.database import sqlite_url

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
async def session(tmp_path: Path) -> AsyncIterator[AsyncSession]:
    url = sqlite_url(tmp_path / "account.db")
    await asyncio.to_thread(upgrade, url, "xget_account")
    database = Database(url)
    async with database.read() as session:
        yield session
    await database.close()


async def plan_of(session: AsyncSession, work: Any) -> list[str]:
    asked = list[tuple[str, Any]]()
    connection = await session.connection()
    raw = connection.sync_connection

    def heard(_c: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
        asked.append((statement, parameters))

    event.listen(raw, "before_cursor_execute", heard)
    await work
    event.remove(raw, "before_cursor_execute", heard)
    plans = [(await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", given)).all() for text, given in asked]
    return [row[3] for rows in plans for row in rows]


@pytest.mark.parametrize(("owner", "index"), [(None, "ix_accounts_made"), ("ada", "ix_accounts_owner_made")])
async def test_a_list_is_read_in_its_order(session: AsyncSession, owner: str | None, index: str) -> None:
    page = AccountRepository(session).page(owner, AccountFilter(sort="-created_at"), PageQuery(5000, 50), NOW)
    plan = await plan_of(session, page)
    assert any(f"USING COVERING INDEX {index}" in step for step in plan), plan
    assert "USE TEMP B-TREE FOR ORDER BY" not in plan
    assert "SCAN accounts" not in plan


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        ({"status": "NEEDS_HUMAN"}, "ix_accounts_owner_state"),
        ({"status": "ACTIVE"}, "ix_accounts_owner_state"),
        ({"status": "ACTIVE"}, "ix_accounts_rest"),
        ({"status": "RESTING"}, "ix_accounts_rest"),
        ({"status": "RESTING"}, "ix_ledger_rest"),
        ({"active": False}, "ix_accounts_off"),
        ({"active": True}, "ix_accounts_off"),
    ],
)
async def test_those_few_that_are_otherwise_are_known_to_an_index(
    session: AsyncSession, wanted: dict[str, Any], index: str
) -> None:
    page = AccountRepository(session).page("ada", AccountFilter(**wanted), PageQuery(1, 20), NOW)
    plan = await plan_of(session, page)
    assert any(index in step for step in plan), plan
    assert "SCAN accounts" not in plan


async def test_accounts_to_log_in_are_found_among_those_that_wait_alone(session: AsyncSession) -> None:
    plan = await plan_of(session, LoginRepository(session).due(NOW, 4, 20))
    assert "SCAN accounts USING INDEX ix_accounts_logged_out" in plan
    assert not any("TEMP B-TREE" in step for step in plan)


async def test_states_are_counted_without_sorting(session: AsyncSession) -> None:
    assert not any("TEMP B-TREE" in step for step in await plan_of(session, FigureRepository(session).accounts()))
