"""Tables of the proxy service."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import BigInteger, Boolean, Float, Index, Integer, String, Text, UniqueConstraint, event, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from xget_db.audit import audit_table
from xget_db.base import new_metadata
from xget_db.data_keys import data_keys_table
from xget_db.grants import grants_table
from xget_db.outbox import outbox_table
from xget_db.sealed import Sealed
from xget_db.types import JsonList, UtcDateTime
from xget_web.idempotency import idempotency_table

ACTIVE = "ACTIVE"
INACTIVE = "INACTIVE"
CHECKING = "CHECKING"
"""Not stored: an INACTIVE proxy whose pause is over, so that it is tried again."""

UNMEASURED_RATE: Final = 0.9
UNMEASURED_LATENCY: Final = 500.0
"""What a proxy is taken for before it was measured."""
OF_LOAD: Final = 0.25
"""Four leases at once halve what a proxy is worth."""
STEPS: Final = 20
"""Into so many steps worth is rounded: equals take turns."""

SEALED = (Sealed("proxies", ("password",)), Sealed("providers", ("url",)))
"""Every table and column that holds a ciphertext: `xget keys` walks them."""


class Base(DeclarativeBase):
    """Registry of this service's tables."""

    metadata = new_metadata()


class Proxy(Base):
    """A way out, and how well it works."""

    __tablename__ = "proxies"
    __table_args__ = (
        UniqueConstraint("owner_id", "type", "ip", "port", "username"),
        Index("ix_proxies_best", "owner_id", "status", "place", "turn", "id"),
        Index("ix_proxies_best_there", "owner_id", "status", "country", "place", "turn", "id"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    owner_id: Mapped[str] = mapped_column(String(64))
    type: Mapped[str] = mapped_column(String(8))
    ip: Mapped[str] = mapped_column(String(253))
    """Address or host name, lower case; IPv6 without brackets."""
    port: Mapped[int] = mapped_column(Integer)
    username: Mapped[str] = mapped_column(String(255))
    """Empty for a proxy without login."""
    password: Mapped[str | None] = mapped_column(Text)
    """Ciphertext of `Keyring`, bound to `proxies:<id>:password`."""
    country: Mapped[str | None] = mapped_column(String(2))
    city: Mapped[str | None] = mapped_column(String(100))
    isp: Mapped[str | None] = mapped_column(String(100))
    latency: Mapped[float | None] = mapped_column(Float)
    """Milliseconds, weighted towards the newest."""
    success_rate: Mapped[float | None] = mapped_column(Float)
    """0 to 1, weighted towards the newest."""
    failures: Mapped[int] = mapped_column(Integer)
    """In a row."""
    pauses: Mapped[int] = mapped_column(Integer)
    """In a row: each is twice as long as the one before."""
    pause_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """End of the pause of an INACTIVE proxy; None for one that a person switched off."""
    latencies: Mapped[list[float | None] | None] = mapped_column(JsonList)
    """Of the last 32 checks in milliseconds, oldest first; None for one that failed."""
    exits: Mapped[list[dict[str, str]] | None] = mapped_column(JsonList)
    """The last 32 changes of the address that others see: `ip`, `at`."""
    exit_ip: Mapped[str | None] = mapped_column(String(45))
    anonymity: Mapped[str | None] = mapped_column(String(16))
    """elite, anonymous (says that it is a proxy) or transparent (tells our address)."""
    rotating: Mapped[bool] = mapped_column(Boolean)
    """A gateway whose exit changes by itself."""
    located: Mapped[bool] = mapped_column(Boolean)
    """country, city and isp come from the operator's MMDB file."""
    check_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)
    """When the next check in the background is due; None for at once."""
    provider_id: Mapped[str | None] = mapped_column(String(36), index=True)
    """From whose list it came; None for one that a person brought."""
    retired_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Since when it is no longer on that list."""
    last_check: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_used: Mapped[datetime | None] = mapped_column(UtcDateTime)
    status: Mapped[str] = mapped_column(String(16))
    error_msg: Mapped[str | None] = mapped_column(String(300))
    allow_internal: Mapped[bool] = mapped_column(Boolean)
    """An operator lets it be inside the operator's own network."""
    max_concurrency: Mapped[int | None] = mapped_column(Integer)
    """Leases at once; None for no bound."""
    daily_budget: Mapped[int | None] = mapped_column(Integer)
    """Leases a day (UTC); None for no bound."""
    used_on: Mapped[str | None] = mapped_column(String(10))
    """The day of `used_today`, as `2026-11-22`."""
    used_today: Mapped[int] = mapped_column(Integer)
    lent: Mapped[int] = mapped_column(Integer, server_default="0")
    """Leases that have not ended."""
    place: Mapped[int] = mapped_column(Integer, server_default="8")
    """In the order of choice, 0 for the best: written with each change of what it is made of."""
    turn: Mapped[int] = mapped_column(BigInteger, server_default="0")
    """`last_used` in microseconds: among equals the smallest comes first."""
    rev: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Provider(Base):
    """Where a list of proxies comes from."""

    __tablename__ = "providers"
    __table_args__ = (UniqueConstraint("owner_id", "name"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    owner_id: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(100))
    host: Mapped[str] = mapped_column(String(253))
    url: Mapped[str] = mapped_column(Text)
    """Ciphertext, bound to `providers:<id>:url`: such URLs hold keys."""
    type: Mapped[str] = mapped_column(String(8))
    country: Mapped[str | None] = mapped_column(String(2))
    every_seconds: Mapped[int] = mapped_column(Integer)
    next_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    last_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_error: Mapped[str | None] = mapped_column(String(300))
    added: Mapped[int] = mapped_column(Integer)
    removed: Mapped[int] = mapped_column(Integer)
    kept: Mapped[int] = mapped_column(Integer)
    refused: Mapped[int] = mapped_column(Integer)
    """Of the last list that was read, as the three before."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Lease(Base):
    """The right to go out through a proxy until a time. Kept afterwards, to tell who used it."""

    __tablename__ = "leases"
    __table_args__ = (
        Index("ix_leases_proxy_id_at", "proxy_id", "at"),
        Index("ix_leases_at", "at"),
        Index("ix_leases_live", "proxy_id", "ended_at", "expires_at"),
        Index(
            "ix_leases_open",
            "expires_at",
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    proxy_id: Mapped[str] = mapped_column(String(36))
    owner_id: Mapped[str] = mapped_column(String(64))
    account_id: Mapped[str] = mapped_column(String(64))
    """Empty when it is for no account."""
    holder: Mapped[str] = mapped_column(String(64))
    """Who asked: an execution's id."""
    operation: Mapped[str] = mapped_column(String(100))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    failed: Mapped[bool] = mapped_column(Boolean)
    """Whether a request under it had no answer."""


class Binding(Base):
    """The proxy that an account uses now."""

    __tablename__ = "bindings"

    owner_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    account_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    proxy_id: Mapped[str] = mapped_column(String(36), index=True)
    country: Mapped[str | None] = mapped_column(String(2))
    """Of the proxy: its follower is sought there first."""
    since: Mapped[datetime] = mapped_column(UtcDateTime)
    session: Mapped[str] = mapped_column(String(16), server_default="")
    """What stands for `{session}` in the user name of a gateway: the gateway gives each its own exit."""


class Reputation(Base):
    """What a platform thinks of a proxy's exit, as far as it has shut it out before."""

    __tablename__ = "reputations"

    proxy_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    platform: Mapped[str] = mapped_column(String(32), primary_key=True)
    success_rate: Mapped[float] = mapped_column(Float)
    """0 to 1, of its answers to requests through the proxy, weighted towards the newest."""
    refusals: Mapped[int] = mapped_column(Integer)
    """In a row."""
    refused_at: Mapped[datetime] = mapped_column(UtcDateTime)
    rests_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Until then it is lent for this platform only when there is no other."""
    reason: Mapped[str] = mapped_column(String(300))


class Rotation(Base):
    """An account came to a proxy."""

    __tablename__ = "rotations"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    owner_id: Mapped[str] = mapped_column(String(64))
    account_id: Mapped[str] = mapped_column(String(64))
    from_proxy_id: Mapped[str | None] = mapped_column(String(36), index=True)
    """None for the account's first."""
    proxy_id: Mapped[str] = mapped_column(String(36), index=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    reason: Mapped[str] = mapped_column(String(300))


idempotency = idempotency_table(Base.metadata)
OUTBOX = outbox_table(Base.metadata)
AUDIT = audit_table(Base.metadata)
Audit = type("Audit", (Base,), {"__table__": AUDIT})
GRANTS = grants_table(Base.metadata)


def worth(rate: float | None, latency: float | None, load: int) -> float:
    """Of a proxy, 0 to 1: its success rate over latency (milliseconds) and load (leases)."""
    known_rate = UNMEASURED_RATE if rate is None else rate
    return known_rate / (1.0 + (UNMEASURED_LATENCY if latency is None else latency) / 1000.0) / (1.0 + load * OF_LOAD)


def place_of(value: float) -> int:
    """In the order of choice, for what a proxy is worth."""
    return STEPS - int(value * STEPS + 0.5)


@event.listens_for(Proxy, "before_insert")
@event.listens_for(Proxy, "before_update")
def _put_in_order(mapper: object, connection: object, proxy: Proxy) -> None:
    """Nobody who changes a proxy can forget its place."""
    proxy.lent = proxy.lent or 0
    proxy.place = place_of(worth(proxy.success_rate, proxy.latency, proxy.lent))
    proxy.turn = int(proxy.last_used.timestamp() * 1_000_000) if proxy.last_used else 0


DATA_KEYS = data_keys_table(Base.metadata)
