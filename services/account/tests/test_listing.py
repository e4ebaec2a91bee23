"""Lists of accounts by what they are, and how many there are: as if each was looked at, without looking at each."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from xget_account.models import HEALTHY, STORED, Account, LedgerEntry
from xget_account.repository import AccountRepository
from xget_account.schemas import AccountFilter
from xget_account.service.accounts import blank_row
from xget_db.engine import Database
from xget_kernel.clock import ManualClock
from xget_kernel.pages import PageQuery

CLOCK = ManualClock()
NOW = CLOCK.now()
RESTS = (None, NOW - timedelta(minutes=1), NOW + timedelta(minutes=1))
STATES = (*STORED, "RESTING", None)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = Database(database_url)
    yield opened
    await opened.close()


def _rows() -> list[dict[str, Any]]:
    """An account of each kind: state, switched on or off, rest of all, rest of one operation, owner and platform."""
    kinds = itertools.product(STORED, (True, False), RESTS, RESTS, (("ada", "x"), ("ada", "x_api"), ("bob", "x")))
    rows = []
    for number, (status, active, rest_until, of_one, (owner, platform)) in enumerate(kinds):
        row = blank_row(owner, platform, f"User{number}", CLOCK) | {"status": status, "active": active}
        row |= {"rest_until": rest_until, "created_at": NOW - timedelta(seconds=number)}
        rows.append(row | {"of_one": of_one})
    return rows


async def _fill(database: Database) -> list[dict[str, Any]]:
    rows = _rows()
    entries = [
        {"account_id": row["id"], "operation": name, "rest_until": row["of_one"], "updated_at": NOW}
        for row in rows
        for name in ("Search", "Other")
    ]
    async with database.transaction() as session:
        await session.execute(insert(Account), [{k: v for k, v in row.items() if k != "of_one"} for row in rows])
        await session.execute(insert(LedgerEntry), entries)
    return rows


def _state(row: dict[str, Any]) -> str:
    rests = any(until is not None and until > NOW for until in (row["rest_until"], row["of_one"]))
    return "RESTING" if rests and row["status"] in HEALTHY else str(row["status"])


async def test_each_filter_finds_and_counts_those_that_fit(database: Database) -> None:
    rows = await _fill(database)
    for owner, status, active, platform, part in itertools.product(
        ("ada", None), STATES, (True, False, None), ("x", None), ("R1", None)
    ):
        wanted = AccountFilter(status=status, active=active, platform=platform, username=part)
        fit = [
            row["id"]
            for row in rows
            if owner in (None, row["owner_id"])
            and status in (None, _state(row))
            and active in (None, row["active"])
            and platform in (None, row["platform"])
            and (part or "").lower() in row["username"].lower()
        ]
        async with database.read() as session:
            page, total = await AccountRepository(session).page(owner, wanted, PageQuery(1, 100), NOW)
        assert ([account.id for account in page], total) == (fit[:100], len(fit)), wanted
