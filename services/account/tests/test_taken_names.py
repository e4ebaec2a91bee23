"""Rows of an import whose name is taken: the name that is told is the one that is taken."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from xget_account.errors import AccountExists
from xget_account.models import Account
from xget_account.repository import AccountRepository
from xget_account.service.accounts import blank_row
from xget_db.engine import Database
from xget_kernel.clock import ManualClock


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = Database(database_url)
    yield opened
    await opened.close()


async def _take(database: Database, names: Sequence[str], platform: str = "x", **changed: Any) -> None:
    rows = [blank_row("ada", platform, name, ManualClock()) for name in names]
    if rows:
        rows[-1] |= changed
    async with database.transaction() as session:
        await AccountRepository(session).take_in(rows)


async def test_the_name_that_is_taken_is_named_and_nothing_is_kept(database: Database) -> None:
    await _take(database, ["first", "Grace"])
    await _take(database, ["first"], "x_api")
    many = [f"new{n}" for n in range(500)]
    for names, taken in ((["second", *many, "GRACE", "third"], "GRACE"), (["fourth", "fifth", "FOURTH"], "FOURTH")):
        with pytest.raises(AccountExists, match=f"an account {taken} of this platform"):
            await _take(database, names)
    async with database.read() as session:
        assert await session.scalar(select(func.count()).select_from(Account)) == 3


async def test_another_fault_is_not_told_as_a_taken_name(database: Database) -> None:
    with pytest.raises(IntegrityError):
        await _take(database, ["first", "second"], login_method=None)
