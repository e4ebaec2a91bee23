"""The choice of accounts as statements that are put together once; their values are in `pool`."""

from __future__ import annotations

from functools import cache
from typing import Any, cast

import msgspec
from sqlalchemy import (
    ColumnElement,
    Executable,
    Integer,
    Select,
    String,
    Text,
    and_,
    bindparam,
    func,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY

from xget_account.models import Account, LedgerEntry
from xget_account.repository.held import held_columns, known_columns, pool_begun, version
from xget_account.repository.room import affordable, money_values, with_room, with_room_values
from xget_db.direct import Build
from xget_db.types import UtcDateTime

__all__ = ["concerned", "entries", "free", "locked", "money_values", "preferred", "with_room_values", "words"]

_HOLDERS, _IDS, _OUT = "holders", "ids", "out"


def words(found: set[str], *, postgres: bool) -> list[str] | str:
    """A set as a value of these statements."""
    return sorted(found) if postgres else msgspec.json.encode(sorted(found)).decode()


def concerned(postgres: bool) -> Executable:
    """Lock what wishes name (`ids`) or hold (`holders`), in one order."""
    query = select(Account.id).where(_concerned(postgres)).order_by(Account.id)
    return query.with_for_update(key_share=True)


@cache
def preferred(*, api: bool, archive: bool, lock: bool = True) -> Build:
    """Accounts with room that are named (`ids`) or held (`holders`), locked and waited for."""

    def build(postgres: bool) -> Executable:
        query = _fit(api=api, archive=archive, lock=lock).where(_concerned(postgres)).order_by(Account.id)
        return query.with_for_update(key_share=True, of=Account) if lock else query

    return build


@cache
def first(*, api: bool, archive: bool, lock: bool = True) -> Build:
    """`preferred` (True), and behind it `free` (False) of a pool, as one statement of PostgreSQL."""

    def build(postgres: bool) -> Executable:
        kind = {"api": api, "archive": archive, "lock": lock}
        held = cast(Select[Any], preferred(**kind)(postgres)).cte("held")
        free_now = cast(Select[Any], free(named=False, out=False, **kind)(postgres)).cte("free_now")
        return union_all(
            select(literal(value=True).label("is_held"), *held.c), select(literal(value=False), *free_now.c)
        )

    return build


@cache
def free(*, named: bool, out: bool, api: bool, archive: bool, lock: bool = True) -> Build:
    """Up to `most` free accounts of a pool with room, the least used first; locked ones, whoever takes some now too.

    `named`: only the account `id`; `out`: none of these.
    """

    def build(postgres: bool) -> Executable:
        query = _fit(api=api, archive=archive, lock=lock).where(
            Account.owner_id == bindparam("owner_id", type_=String),
            Account.platform == bindparam("platform", type_=String),
            or_(Account.lease_expires_at.is_(None), Account.lease_expires_at <= bindparam("now", type_=UtcDateTime)),
        )
        if named:
            query = query.where(Account.id == bindparam("id", type_=String))
        if out:
            query = query.where(~_among(Account.id, _OUT, postgres))
        ordered = query.order_by(Account.turn, Account.id).limit(bindparam("most", type_=Integer))
        return ordered.with_for_update(skip_locked=True, key_share=True, of=Account) if lock else ordered

    return build


def locked(postgres: bool) -> Executable:
    """Those of some accounts (`ids`) that there are, locked in one order."""
    query = select(*held_columns()).where(_among(Account.id, _IDS, postgres)).order_by(Account.id)
    return query.with_for_update(key_share=True)


def known(postgres: bool) -> Executable:
    """Those of some accounts (`ids`) that there are, not locked, each beside what is known of some `operations`."""
    asked = _among(LedgerEntry.operation, "operations", postgres)
    beside = and_(LedgerEntry.account_id == Account.id, asked)
    query = select(*held_columns(), version(), *known_columns()).outerjoin(LedgerEntry, beside)
    return query.select_from(Account).where(_among(Account.id, _IDS, postgres)).order_by(Account.id)


def entries(postgres: bool) -> Executable:
    """What the ledger knows of some accounts (`ids`), which are locked."""
    return select(*known_columns()).where(_among(LedgerEntry.account_id, _IDS, postgres))


def _fit(*, api: bool, archive: bool, lock: bool) -> Select[Any]:
    """What is not locked tells its version."""
    columns = [*held_columns(), pool_begun(), *([] if lock else [version()])]
    return select(*columns).where(*with_room(), *affordable(api=api, archive=archive))


def _concerned(postgres: bool) -> ColumnElement[bool]:
    return or_(_among(Account.id, _IDS, postgres), _among(Account.lease_holder, _HOLDERS, postgres))


def _among(column: Any, name: str, postgres: bool) -> ColumnElement[bool]:
    if postgres:
        among: ColumnElement[bool] = column == func.any(bindparam(name, type_=ARRAY(String)), type_=String)
        return among
    each = func.json_each(bindparam(name, type_=Text)).table_valued("value")
    found: ColumnElement[bool] = column.in_(select(each.c.value))
    return found
