"""Proxies of accounts that have one, lent again, and leases that end: prepared, for it happens at every page.

What else is lent, and why, is in `lending`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Coroutine, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final, TypeVar, cast

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Executable,
    Float,
    Integer,
    String,
    Table,
    and_,
    bindparam,
    case,
    false,
    insert,
    select,
    type_coerce,
    update,
)
from sqlalchemy.types import NullType, TypeEngine

from xget_db.direct import Direct
from xget_db.engine import Database
from xget_db.given import Given
from xget_db.types import UtcDateTime
from xget_kernel.secrets import NotPickled
from xget_proxy.models import Binding, Lease, Proxy, Reputation, place_of, worth

T = TypeVar("T")
Bound = tuple[str, str, str]
"""Owner, account and platform of who asks."""
_BOUND: Final = {name: String() for name in ("owner_id", "account_id", "platform")}
_USED: Final[dict[str, TypeEngine[Any]]] = {
    "id": String(), "used_on": String(), "used_today": Integer(), "last_used": UtcDateTime(), "lent": Integer(),
    "place": Integer(), "turn": BigInteger(),
}  # fmt: skip
_ENDED: Final[dict[str, TypeEngine[Any]]] = {"id": String(), "lent": Integer(), "place": Integer()}
_LEASED: Final[dict[str, TypeEngine[Any]]] = {
    **{name: String() for name in ("id", "proxy_id", "owner_id", "account_id", "holder", "operation")},
    "at": UtcDateTime(), "expires_at": UtcDateTime(),
}  # fmt: skip
_MOST_LAPSED: Final = 500


@dataclass(slots=True, repr=False)
class Held(NotPickled):
    """A row of `proxies`, locked; names as there. Its repr shows no secret, sealed ones neither."""

    id: str
    owner_id: str
    type: str
    ip: str
    port: int
    username: str
    password: str | None
    country: str | None
    latency: float | None
    success_rate: float | None
    status: str
    pause_until: datetime | None
    allow_internal: bool
    max_concurrency: int | None
    daily_budget: int | None
    used_on: str | None
    used_today: int
    last_used: datetime | None
    lent: int

    def __repr__(self) -> str:
        return f"Held({self.id})"


@dataclass(frozen=True, slots=True)
class Own:
    """The proxy of an account."""

    proxy: Held
    session: str
    """Of a gateway; empty when it has none yet."""
    rests_until: datetime | None
    """The platform has shut it out until then."""


class AgainTables:
    """Each call is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def do(self, work: Callable[[AgainRepository], Coroutine[Any, Any, T]]) -> T:
        """What `work` gives; it awaits nothing but the repository."""

        async def done(direct: Direct) -> T:
            return await work(AgainRepository(direct))

        return await self._database.directly(done)


class AgainRepository:
    """Proxies are locked in the order of their ids, before anything of them is written."""

    def __init__(self, direct: Direct) -> None:
        self._direct = direct
        self._postgres = direct.postgres

    async def own(self, bound: Collection[Bound]) -> dict[Bound, Own]:
        """The proxies that belong to the owners of these accounts, locked; of an account without one, nothing."""
        rows = await self._direct.rows(_own, _given_of("bound", self._postgres).values(sorted(bound)))
        proxies: dict[str, Held] = {}
        found = {}
        for owner_id, account_id, platform, session, rests_until, *row in rows:
            proxy = proxies.setdefault(row[0], Held(*row))
            found[owner_id, account_id, platform] = Own(proxy, session, rests_until)
        return found

    def lend(self, proxies: Collection[Held], leases: Sequence[Lease]) -> None:
        """Write down proxies as they stand, and new leases of them."""
        used = [
            (one.id, one.used_on, one.used_today, one.last_used, one.lent, _place(one, one.lent), _turn(one))
            for one in proxies
        ]
        rows = [tuple(getattr(lease, name) for name in _LEASED) for lease in leases]
        self._direct.together(
            (_write, _given_of("leased", self._postgres).values(rows)),
            (_use, _given_of("used", self._postgres).values(used)),
        )

    async def lapsed(self, now: datetime) -> list[str]:
        """Leases whose time is over, the first of them."""
        return [lease_id for (lease_id,) in await self._direct.rows(_over, {"now": now})]

    async def end(self, lease_ids: Collection[str], now: datetime) -> None:
        """End leases, at the latest when their time was over; those that have ended, and those that nobody knows,
        change nothing."""
        wanted = _given_of("ids", self._postgres).values([(lease_id,) for lease_id in sorted(lease_ids)])
        proxies = await self._direct.rows(_lock, wanted)
        if not proxies:
            return
        ended = [proxy_id for (proxy_id,) in await self._direct.rows(_end, {**wanted, "now": now})]
        left = []
        for proxy_id, lent, latency, success_rate in proxies:
            if times := ended.count(proxy_id):
                stays = max(0, lent - times)
                left.append((proxy_id, stays, place_of(worth(success_rate, latency, stays))))
        if left:
            self._direct.later(_give_back, _given_of("ended", self._postgres).values(left))


@cache
def _given_of(what: str, postgres: bool) -> Given[tuple[Any, ...]]:
    kinds: dict[str, dict[str, TypeEngine[Any]]] = {
        "bound": dict(_BOUND), "used": _USED, "ended": _ENDED, "leased": _LEASED, "ids": {"id": String()},
    }  # fmt: skip
    return Given(kinds[what], postgres=postgres)


def _place(proxy: Held, lent: int) -> int:
    return place_of(worth(proxy.success_rate, proxy.latency, lent))


def _turn(proxy: Held) -> int:
    return int(proxy.last_used.timestamp() * 1_000_000) if proxy.last_used else 0


def _own(postgres: bool) -> Executable:
    asked = _given_of("bound", postgres).rows.c
    mine = and_(Binding.owner_id == asked.owner_id, Binding.account_id == asked.account_id)
    thinks = and_(Reputation.proxy_id == Proxy.id, Reputation.platform == asked.platform)
    columns = (_as_is(getattr(Proxy, name)) for name in Held.__dataclass_fields__)
    query = (
        select(asked.owner_id, asked.account_id, asked.platform, Binding.session, Reputation.rests_until, *columns)
        .select_from(_given_of("bound", postgres).rows)
        .join(Binding, mine)
        .join(Proxy, and_(Proxy.id == Binding.proxy_id, Proxy.owner_id == Binding.owner_id))
        .outerjoin(Reputation, thinks)
        .order_by(Proxy.id)
    )
    return query.with_for_update(of=Proxy, key_share=True)


def _as_is(column: Any) -> ColumnElement[Any]:
    """Numbers with fractions as the driver gives them: SQLAlchemy would ask it for their kind first."""
    found: ColumnElement[Any] = type_coerce(column, NullType()) if isinstance(column.type, Float) else column
    return found


def _use(postgres: bool) -> Executable:
    return _set("used", postgres)


def _give_back(postgres: bool) -> Executable:
    return _set("ended", postgres)


def _set(what: str, postgres: bool) -> Executable:
    new = _given_of(what, postgres).rows.c
    return (
        update(cast(Table, Proxy.__table__))
        .where(Proxy.id == new.id)
        .values({c.name: c for c in new if c.name != "id"})
    )


def _write(postgres: bool) -> Executable:
    new = _given_of("leased", postgres).rows.c
    return insert(cast(Table, Lease.__table__)).from_select([*_LEASED, "failed"], select(*new, false()))


def _over(postgres: bool) -> Executable:
    over = Lease.ended_at.is_(None), Lease.expires_at <= bindparam("now", type_=UtcDateTime)
    return select(Lease.id).where(*over).order_by(Lease.expires_at).limit(_MOST_LAPSED)


def _wanted(postgres: bool) -> Any:
    return and_(Lease.id.in_(select(_given_of("ids", postgres).rows.c.id)), Lease.ended_at.is_(None))


def _lock(postgres: bool) -> Executable:
    query = select(Proxy.id, Proxy.lent, _as_is(Proxy.latency), _as_is(Proxy.success_rate))
    query = query.where(Proxy.id.in_(select(Lease.proxy_id).where(_wanted(postgres)))).order_by(Proxy.id)
    return query.with_for_update(key_share=True)


def _end(postgres: bool) -> Executable:
    now = bindparam("now", type_=UtcDateTime)
    at = case((Lease.expires_at < now, Lease.expires_at), else_=now)
    return update(cast(Table, Lease.__table__)).where(_wanted(postgres)).values(ended_at=at).returning(Lease.proxy_id)
