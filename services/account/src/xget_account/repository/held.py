"""An account and its ledger as plain rows: what the pool works with while it has them locked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final

from sqlalchemy import ColumnElement, Label, String, func, literal_column, select
from sqlalchemy.orm import aliased

from xget_account.models import Account, LedgerEntry
from xget_kernel.secrets import NotPickled


@dataclass(slots=True, repr=False)
class Held(NotPickled):
    """A row of `accounts`; names as there. Its repr shows no secret, sealed ones neither."""

    id: str
    owner_id: str
    platform: str
    username: str
    status: str
    cookies: str | None
    api: str | None
    headers: dict[str, str]
    user_agent: str | None
    proxy_id: str | None
    daily_budget: int | None
    used_day: str
    used_today: int
    rest_until: datetime | None
    last_used: datetime | None
    turn: int
    begun: int
    fence: int
    lease_holder: str | None
    lease_operation: str | None
    lease_expires_at: datetime | None
    lease_reports: int
    last_report: dict[str, object] | None
    pool_begun: int = 0
    """How far the choice of its pool has come: who was away goes on from here."""
    version: str = ""
    """Of the row, when it was looked at and not locked; any change makes it another (PostgreSQL)."""

    def __repr__(self) -> str:
        return f"Held({self.id})"


_DERIVED: Final = frozenset({"pool_begun", "version"})


@dataclass(slots=True)
class Known:
    """A row of `ledger`; names as there."""

    account_id: str
    operation: str
    limit: int | None = None
    remaining: int | None = None
    reset_at: datetime | None = None
    rest_until: datetime | None = None
    used_day: str = ""
    used_today: int = 0
    failures: int = 0
    errors: list[dict[str, object]] | None = None


@cache
def held_columns() -> tuple[ColumnElement[Any], ...]:
    """Of a select that gives the fields of `Held`."""
    names = (field for field in Held.__dataclass_fields__ if field not in _DERIVED)
    return tuple(getattr(Account, name) for name in names)


@cache
def pool_begun() -> Label[int]:
    """The greatest `begun` of the pool that an account is in."""
    other = aliased(Account)
    mine = (other.owner_id == Account.owner_id, other.platform == Account.platform)
    return select(func.max(other.begun)).where(*mine).correlate(Account).scalar_subquery().label("pool_begun")


def version() -> Label[str]:
    """The version of an account's row on PostgreSQL."""
    return version_of(Account.__tablename__).label("version")


def version_of(table: str) -> ColumnElement[str]:
    """As `version`, by the name that the table has in a statement."""
    return literal_column(f"{table}.xmin::text", String)


def both(rows: Sequence[tuple[Any, ...]]) -> tuple[list[Held], list[Known]]:
    """Accounts with their versions, and what is known of them, of rows that have the columns of both."""
    width = len(held_columns())
    accounts = [Held(*(*row[:width], 0, row[width])) for row in rows]
    return accounts, [Known(*row[width + 1 :]) for row in rows if row[width + 1] is not None]


@cache
def known_columns() -> tuple[ColumnElement[Any], ...]:
    """Of a select that gives the fields of `Known`."""
    return tuple(getattr(LedgerEntry, name) for name in Known.__dataclass_fields__)
