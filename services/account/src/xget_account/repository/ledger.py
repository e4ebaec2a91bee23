"""What is known of accounts and operations."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from functools import cache
from typing import Any, Final, cast

from sqlalchemy import (
    ColumnElement,
    Executable,
    Integer,
    Select,
    String,
    Table,
    Text,
    and_,
    bindparam,
    case,
    column,
    literal,
    or_,
    select,
    true,
)
from sqlalchemy import table as table_of
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import TypeEngine

from xget_account.models import Account, LedgerEntry
from xget_account.repository.held import Held, Known, version_of
from xget_account.repository.room import day_of
from xget_db.given import Given, as_json, json_of
from xget_db.types import UtcDateTime
from xget_db.upserts import insert_into

_FIRST: Final = table_of("s0", column("account_id", String))
Pair = tuple[str, str]
"""Account id and operation."""


async def entries_of(session: AsyncSession, wanted: Collection[Pair], now: datetime) -> dict[Pair, LedgerEntry]:
    """The entries of accounts, which are locked, and operations, made when they are not there; their day is today."""
    query = select(LedgerEntry).where(
        LedgerEntry.account_id.in_({account_id for account_id, _ in wanted}),
        LedgerEntry.operation.in_({operation for _, operation in wanted}),
    )
    rows = await session.scalars(query.execution_options(populate_existing=True))
    found = {(entry.account_id, entry.operation): entry for entry in rows}
    for account_id, operation in wanted:
        entry = found.get((account_id, operation))
        if entry is None:
            entry = LedgerEntry(account_id=account_id, operation=operation, used_today=0, failures=0, updated_at=now)
            session.add(entry)
            found[account_id, operation] = entry
        if entry.used_day != day_of(now):
            entry.used_day, entry.used_today = day_of(now), 0
        entry.updated_at = now
    return found


@cache
def _accounts(*, postgres: bool) -> Given[tuple[str, str]]:
    return Given({"account_id": String(), "version": String()}, postgres=postgres)


def reserve_values(
    accounts: Collection[Held], operation: str, now: datetime, window_end: datetime, *, postgres: bool
) -> dict[str, Any]:
    """Parameters of `reserve`: a window that begins now ends at `window_end` until an answer says when it does."""
    rows = sorted((account.id, account.version) for account in accounts)
    given = _accounts(postgres=postgres).values(rows)
    return {"operation": operation, "day": day_of(now), "now": now, "until": window_end, **given}


def reserve(postgres: bool) -> Executable:
    """Count one request for each of these accounts, which are locked, before it is made; the ids of those with room.

    Those of a choice have room, unless another transaction took it while this one chose. A window that has passed is
    full again.
    """
    return _reserve(true(), postgres=postgres)


def reserve_unchanged(postgres: bool) -> Executable:
    """As `reserve`, of accounts that were looked at and not locked: of those that nobody has changed since, or does."""
    given = _accounts(postgres=postgres).rows.c
    same = select(Account.id).where(Account.id == given.account_id, version_of("accounts") == given.version)
    locked = same.with_for_update(skip_locked=True, key_share=True).scalar_subquery()
    return _reserve(locked.is_not(None), postgres=postgres)


def _reserve(which: ColumnElement[bool], *, postgres: bool) -> Executable:
    table = cast(Table, LedgerEntry.__table__)
    given = _accounts(postgres=postgres)
    now, until = bindparam("now", type_=UtcDateTime), bindparam("until", type_=UtcDateTime)
    new = {
        "account_id": given.rows.c.account_id,
        "operation": bindparam("operation", type_=String),
        "used_day": bindparam("day", type_=String),
        "used_today": literal(1, Integer),
        "failures": literal(0, Integer),
        "updated_at": now,
    }
    fresh = insert_into(table, postgres=postgres).from_select(list(new), select(*new.values()).where(which))
    same_day = LedgerEntry.used_day == fresh.excluded.used_day
    passed = or_(LedgerEntry.reset_at.is_(None), LedgerEntry.reset_at <= now)
    changes = {
        "used_today": case((same_day, LedgerEntry.used_today + 1), else_=1),
        "used_day": fresh.excluded.used_day,
        "updated_at": fresh.excluded.updated_at,
        # NULL stays NULL: without a limit there is nothing to take from
        "remaining": case((passed, LedgerEntry.limit - 1), else_=LedgerEntry.remaining - 1),
        "reset_at": case((and_(passed, LedgerEntry.limit.is_not(None)), until), else_=LedgerEntry.reset_at),
    }
    open_now = or_(LedgerEntry.remaining.is_(None), LedgerEntry.remaining > 0, passed)
    rested = or_(LedgerEntry.rest_until.is_(None), LedgerEntry.rest_until <= now)
    counted = fresh.on_conflict_do_update(
        index_elements=["account_id", "operation"], set_=changes, where=and_(open_now, rested)
    )
    return counted.returning(table.c.account_id)


def counted() -> Select[str]:
    """The accounts that the first of some statements found, for what PostgreSQL is told together with it."""
    return select(_FIRST.c.account_id)


def kept(_postgres: bool) -> Executable:
    """The accounts that the first of some statements found."""
    return counted()


def kept_and_rung(_postgres: bool) -> Executable:
    """As `kept`, behind a third statement that rings: what nobody asks for is not done."""
    return counted().select_from(_FIRST.outerjoin(table_of("s2"), true()))


_KINDS: Final[dict[str, TypeEngine[Any]]] = {
    "account_id": String(),
    "operation": String(),
    "limit_": Integer(),
    "remaining": Integer(),
    "reset_at": UtcDateTime(),
    "rest_until": UtcDateTime(),
    "used_day": String(),
    "used_today": Integer(),
    "failures": Integer(),
    "errors": Text(),
}


@cache
def _known(*, postgres: bool) -> Given[tuple[Any, ...]]:
    return Given(_KINDS, postgres=postgres)


def keep_values(known: Collection[Known], now: datetime, *, postgres: bool) -> dict[str, Any]:
    """Parameters of `keep`."""
    rows = [
        (one.account_id, one.operation, one.limit, one.remaining, one.reset_at, one.rest_until, one.used_day,
         one.used_today, one.failures, as_json(one.errors))
        for one in sorted(known, key=lambda one: (one.account_id, one.operation))
    ]  # fmt: skip
    return {"now": now, **_known(postgres=postgres).values(rows)}


def keep(postgres: bool) -> Executable:
    """Store what is known of accounts, which are locked, and operations."""
    return _keep(true(), postgres=postgres)


def keep_told(postgres: bool) -> Executable:
    """As `keep`, of the accounts that the statement `writing.told_unchanged` before it wrote."""
    return _keep(_known(postgres=postgres).rows.c.account_id.in_(counted()), postgres=postgres)


def _keep(which: ColumnElement[bool], *, postgres: bool) -> Executable:
    table = cast(Table, LedgerEntry.__table__)
    given = _known(postgres=postgres).rows.c
    new = {name: given[name] for name in _KINDS} | {
        "errors": json_of(given.errors, postgres=postgres),
        "updated_at": bindparam("now", type_=UtcDateTime),
    }
    fresh = insert_into(table, postgres=postgres).from_select(list(new), select(*new.values()).where(which))
    changed = {name: fresh.excluded[name] for name in new if name not in ("account_id", "operation")}
    return fresh.on_conflict_do_update(index_elements=["account_id", "operation"], set_=changed)
