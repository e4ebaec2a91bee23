"""What the pool writes of accounts that it has locked, as statements that are put together once."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from functools import cache
from typing import Any, Final, cast

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Executable,
    Integer,
    String,
    Table,
    Text,
    and_,
    bindparam,
    literal,
    null,
    select,
    update,
)
from sqlalchemy.sql.dml import Update
from sqlalchemy.types import TypeEngine

from xget_account.models import Account
from xget_account.repository.held import Held, version_of
from xget_account.repository.ledger import counted
from xget_db.given import Given, as_json, json_of
from xget_db.types import UtcDateTime

_TABLE: Final = cast(Table, Account.__table__)
_LEASED: Final[dict[str, TypeEngine[Any]]] = {
    "id": String(),
    "fence": Integer(),
    "lease_holder": String(),
    "lease_expires_at": UtcDateTime(),
    "used_today": Integer(),
    "turn": BigInteger(),
    "begun": BigInteger(),
}
_TOLD: Final[dict[str, TypeEngine[Any]]] = {
    "id": String(),
    "version": String(),
    "lease_holder": String(),
    "lease_operation": String(),
    "lease_expires_at": UtcDateTime(),
    "lease_reports": Integer(),
    "used_day": String(),
    "used_today": Integer(),
    "turn": BigInteger(),
    "rest_until": UtcDateTime(),
    "last_report": Text(),
}


@cache
def _given(*, postgres: bool, told: bool) -> Given[tuple[Any, ...]]:
    return Given(_TOLD if told else _LEASED, postgres=postgres)


def lease_values(
    held: Collection[Held], operation: str, day: str, now: datetime, *, postgres: bool
) -> dict[str, Any]:  # fmt: skip
    """Parameters of `lease`."""
    rows = [tuple(getattr(one, name) for name in _LEASED) for one in _in_order(held)]
    return {"operation": operation, "day": day, "now": now, **_given(postgres=postgres, told=False).values(rows)}


def lease(postgres: bool) -> Executable:
    """Write down leases for an operation, as they are in the rows of the accounts."""
    return _lease(postgres=postgres)


def lease_counted(postgres: bool) -> Executable:
    """As `lease`, of those accounts whose requests the statement `ledger.reserve` before it counted; their ids."""
    return _lease(postgres=postgres).where(_TABLE.c.id.in_(counted())).returning(_TABLE.c.id)


def _lease(*, postgres: bool) -> Update:
    given = _given(postgres=postgres, told=False).rows.c
    changes = {name: given[name] for name in _LEASED if name != "id"} | {
        "lease_operation": bindparam("operation", type_=String),
        "lease_reports": literal(0, Integer),
        "used_day": bindparam("day", type_=String),
        "last_used": bindparam("now", type_=UtcDateTime),
    }
    return update(_TABLE).where(_TABLE.c.id == given.id).values(changes)


def told_values(held: Collection[Held], *, postgres: bool) -> dict[str, Any]:
    """Parameters of `told`."""
    names = tuple(_TOLD)[:-1]
    rows = [(*(getattr(one, name) for name in names), as_json(one.last_report)) for one in _in_order(held)]
    return _given(postgres=postgres, told=True).values(rows)


def told(postgres: bool) -> Executable:
    """Write down what reports changed."""
    return _told(postgres=postgres)


def told_unchanged(postgres: bool) -> Executable:
    """As `told`, of accounts that were looked at and not locked: of those that nobody has changed since, or does.

    Their ids, as `account_id`.
    """
    given = _given(postgres=postgres, told=True).rows.c
    seen = _TABLE.alias("seen")
    same = select(seen.c.id).where(seen.c.id == given.id, version_of("seen") == given.version)
    locked = same.with_for_update(skip_locked=True, key_share=True).scalar_subquery()
    return _told(postgres=postgres).where(locked.is_not(None)).returning(_TABLE.c.id.label("account_id"))


def _told(*, postgres: bool) -> Update:
    given = _given(postgres=postgres, told=True).rows.c
    changes: dict[str, ColumnElement[Any]] = {name: given[name] for name in _TOLD if name not in ("id", "version")}
    changes["last_report"] = json_of(given.last_report, postgres=postgres)
    return update(_TABLE).where(_TABLE.c.id == given.id).values(changes)


@cache
def _ended(*, postgres: bool) -> Given[tuple[str, int]]:
    return Given({"account_id": String(), "fence": Integer()}, postgres=postgres)


def end_values(leases: Collection[tuple[str, int]], *, postgres: bool) -> dict[str, Any]:
    """Parameters of `end`, for leases by account id and fence."""
    return _ended(postgres=postgres).values(sorted(leases))


def end(postgres: bool) -> Executable:
    """End leases; one that is not the newest of its account changes nothing. Owner and platform of those it ended."""
    given = _ended(postgres=postgres).rows.c
    newest = and_(_TABLE.c.id == given.account_id, _TABLE.c.fence == given.fence)
    nobody = dict.fromkeys(("lease_holder", "lease_operation", "lease_expires_at"), null())
    return update(_TABLE).where(newest).values(nobody).returning(_TABLE.c.owner_id, _TABLE.c.platform)


def _in_order(held: Collection[Held]) -> list[Held]:
    return sorted(held, key=lambda one: one.id)
