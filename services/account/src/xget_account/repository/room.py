"""Which accounts have room for an operation, and when the others will, as SQL."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    String,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.ext.asyncio import AsyncSession

from xget_account.models import API, HEALTHY, Account, ApiAccess, LedgerEntry
from xget_db.grants import Lent
from xget_db.locks import is_postgres
from xget_db.types import UtcDateTime

REASONS: Final = ("lease", "rest", "rest", "window", "budget", "money")
"""What an account may wait for, in the order of the columns of `_obstacles`."""


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What a caller needs an account for."""

    owner_id: str
    platform: str
    operation: str
    holder: str
    account_id: str = ""
    """Only this account, if set."""
    sticky_account_id: str = ""
    """Preferred, if it has room."""
    priority: int = 5
    """Among those who wait: 1 is first, 10 is last."""
    immediate: bool = False
    task_id: str = ""
    requester_id: str = ""
    """For whom the task works; empty is the owner."""
    units: int = 0
    """Of an official API: posts or users that the request reads at most."""
    unit_micros: int = 0
    """Price of each, in millionths of a dollar."""
    request_micros: int = 0
    archive: bool = False
    """Only an account will do whose plan has the full archive."""
    lent: tuple[Lent, ...] = ()
    """What others lend to the owner: looked up when his own accounts do not do."""

    @property
    def is_api(self) -> bool:
        """It is about a platform's official API."""
        return self.platform.endswith(API)

    @property
    def micros(self) -> int:
        """What the request costs at most."""
        return self.request_micros + self.units * self.unit_micros

    @property
    def pool(self) -> str:
        """The accounts that may answer it, as a word."""
        return pool_of(self.owner_id, self.platform)


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """When those accounts have room again that could answer a wish."""

    accounts: int
    """Healthy ones."""
    at: datetime
    """When the first of them has room; not before now."""
    waits_for: str
    """lease, rest, window or budget: what stands in its way for longest."""
    then: int
    """How many have room within the same minute."""


def usable(wish: Wish) -> ColumnElement[bool]:
    """Accounts of the wish's owner, and those that are lent to him."""
    lent = [
        and_(Account.owner_id == one.owner_id, *([Account.id == one.subject_id] if one.subject_id else []))
        for one in wish.lent
    ]
    return or_(Account.owner_id == wish.owner_id, *lent) if lent else Account.owner_id == wish.owner_id


def pool_of(owner_id: str, platform: str) -> str:
    """An owner's accounts of a platform as a word."""
    return f"{platform}:{owner_id}"


def day_of(now: datetime) -> str:
    """The day that budgets count for."""
    return now.date().isoformat()


def this_month(now: datetime) -> str:
    """The month that money counts for."""
    return now.astimezone(UTC).strftime("%Y-%m")


def next_month(now: datetime) -> datetime:
    """When the money of the next month may be spent."""
    first = now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return (first + timedelta(days=32)).replace(day=1)


def cost_parameters() -> tuple[Any, Any, Any]:
    """Month, units and money as parameters; see `money_values`."""
    units, micros = bindparam("units", type_=BigInteger), bindparam("micros", type_=BigInteger)
    return bindparam("month", type_=String), units, micros


def money_values(wish: Wish, now: datetime) -> dict[str, object]:
    """What a statement about money is given for a wish."""
    return {"month": this_month(now), "units": wish.units, "micros": wish.micros}


def can_pay(cost: tuple[Any, Any, Any] | None = None) -> ColumnElement[bool]:
    """Rows of ApiAccess whose month has room for a cost; a month that has passed begins anew.

    `cost` is month, units and money of a request at most, by default parameters.
    """
    month, units, micros = cost or cost_parameters()
    fresh = ApiAccess.month != month
    money = or_(and_(fresh, ApiAccess.cap_micros >= micros), ApiAccess.micros + micros <= ApiAccess.cap_micros)
    known = or_(and_(fresh, ApiAccess.cap_units >= units), ApiAccess.units + units <= ApiAccess.cap_units)
    return and_(money, or_(ApiAccess.cap_units.is_(None), known))


def planned(*, archive: bool) -> ColumnElement[bool]:
    """Accounts whose plan has what a wish about an official API needs."""
    mine = ApiAccess.account_id == Account.id
    return exists().where(mine, ApiAccess.full_archive) if archive else exists().where(mine)


def affordable(*, api: bool, archive: bool) -> list[ColumnElement[bool]]:
    """As `planned`, of those that may still spend what it costs; nothing for what is not about an official API."""
    if not api:
        return []
    return [planned(archive=archive), exists().where(ApiAccess.account_id == Account.id, can_pay())]


def next_day(now: datetime) -> datetime:
    """When the daily budgets begin anew."""
    return datetime.combine(now.astimezone(UTC).date() + timedelta(days=1), time(), UTC)


def healthy() -> ColumnElement[bool]:
    """Accounts that can work at all."""
    well = or_(*(Account.status == state for state in HEALTHY))
    return and_(Account.active, well, or_(Account.cookies.is_not(None), Account.api.is_not(None)))


def within_budget(now: datetime, budget: int) -> ColumnElement[bool]:
    """Accounts with requests left today."""
    return or_(Account.used_day != day_of(now), Account.used_today < func.coalesce(Account.daily_budget, budget))


def spent(now: datetime) -> ColumnElement[bool]:
    """Ledger entries whose window is used up; one that has passed is full again."""
    return and_(LedgerEntry.remaining <= 0, LedgerEntry.reset_at > now)


def with_room() -> list[ColumnElement[bool]]:
    """Anybody's healthy accounts with room for an operation, leased or not; see `with_room_values`."""
    now, day = bindparam("now", type_=UtcDateTime), bindparam("day", type_=String)
    spent_now = and_(LedgerEntry.remaining <= 0, LedgerEntry.reset_at > now)
    budget = func.coalesce(Account.daily_budget, bindparam("budget", type_=Integer))
    # A value and not EXISTS: PostgreSQL makes a join of that one, and reads the whole ledger for it.
    closed = (
        select(or_(LedgerEntry.rest_until > now, spent_now))
        .where(LedgerEntry.account_id == Account.id, LedgerEntry.operation == bindparam("operation", type_=String))
        .correlate(Account)
        .scalar_subquery()
    )
    rested = or_(Account.rest_until.is_(None), Account.rest_until <= now)
    left = or_(Account.used_day != day, Account.used_today < budget)
    return [healthy(), rested, left, ~func.coalesce(closed, False)]


def with_room_values(operation: str, now: datetime, budget: int) -> dict[str, object]:
    """Parameters of `with_room`."""
    return {"operation": operation, "now": now, "budget": budget, "day": day_of(now)}


async def outlook(session: AsyncSession, wish: Wish, now: datetime, budget: int) -> Outlook | None:
    """What the owner's healthy accounts (or the one that the wish names) wait for; None without any."""
    columns = _obstacles(wish, now, budget)
    latest = func.greatest if is_postgres(session) else func.max
    moment = literal(now, UtcDateTime)
    frees = latest(moment, *(func.coalesce(column, moment) for column in columns), type_=UtcDateTime).label("frees")
    found = (
        select(frees, *(column.label(f"why{n}") for n, column in enumerate(columns)))
        .outerjoin(LedgerEntry, and_(LedgerEntry.account_id == Account.id, LedgerEntry.operation == wish.operation))
        .where(healthy(), *_wanted(wish))
    )
    first = (await session.execute(found.order_by(frees).limit(1))).first()
    if first is None:
        return None
    rows = found.subquery()
    minute = first.frees.replace(second=0, microsecond=0) + timedelta(minutes=1)
    soon = func.sum(case((rows.c.frees < literal(minute, UtcDateTime), 1), else_=0))
    accounts, then = (await session.execute(select(func.count(), soon).select_from(rows))).one()
    reasons = [(at, why) for at, why in zip(first[1:], REASONS, strict=False) if at is not None and at > now]
    waits_for = max(reasons, key=lambda pair: pair[0])[1] if reasons else "lease"
    return Outlook(accounts=accounts, at=first.frees, waits_for=waits_for, then=int(then))


def _wanted(wish: Wish) -> list[ColumnElement[bool]]:
    named = [Account.id == wish.account_id] if wish.account_id else []
    plan = [planned(archive=wish.archive)] if wish.is_api else []
    return [usable(wish), Account.platform == wish.platform, *named, *plan]


def _obstacles(wish: Wish, now: datetime, budget: int) -> list[ColumnElement[Any]]:
    """Until when something stands in the way of an account, NULL for never."""
    others = or_(Account.lease_holder.is_(None), Account.lease_holder != wish.holder)
    return [
        case((others, Account.lease_expires_at)),
        Account.rest_until.expression,
        LedgerEntry.rest_until.expression,
        case((spent(now), LedgerEntry.reset_at)),
        case((~within_budget(now, budget), literal(next_day(now), UtcDateTime))),
        *_money(wish, now),
    ]


def _money(wish: Wish, now: datetime) -> list[ColumnElement[Any]]:
    if not wish.is_api:
        return []
    cost = this_month(now), wish.units, wish.micros
    pays = exists().where(ApiAccess.account_id == Account.id, can_pay(cost))
    return [case((~pays, literal(next_month(now), UtcDateTime)))]
