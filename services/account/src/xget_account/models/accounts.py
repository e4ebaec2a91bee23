"""Accounts and what is known of their operations."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    TextClause,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from xget_account.models.base import Base
from xget_account.models.states import ACTIVE, NEEDS_LOGIN
from xget_db.types import JsonDict, JsonList, UtcDateTime

SECRETS = ("password", "email_password", "cookies", "totp", "api")
"""Columns that hold a ciphertext of `Keyring`, bound to `accounts:<id>:<column>`."""
_LOGGED_OUT = text(f"status = '{NEEDS_LOGIN}'")
_NOT_ACTIVE = text(f"status <> '{ACTIVE}'")
_RESTED = text("rest_until IS NOT NULL")


def _few(name: str, *columns: str, where: TextClause, on_sqlite: TextClause | None = None) -> Index:
    """An index of the few rows for which `where` holds: leases of the others do not write it."""
    return Index(name, *columns, postgresql_where=where, sqlite_where=where if on_sqlite is None else on_sqlite)


class Account(Base):
    """A login of a platform, its secrets, and who works with it now."""

    __tablename__ = "accounts"
    __table_args__ = (
        UniqueConstraint("owner_id", "platform", "username_key"),
        Index("ix_accounts_turn", "owner_id", "platform", "turn", "id"),
        Index("ix_accounts_begun", "owner_id", "platform", "begun"),
        Index("ix_accounts_lease_holder", "lease_holder"),
        Index("ix_accounts_made", "created_at", "id"),
        Index("ix_accounts_owner_made", "owner_id", "created_at", "id"),
        _few("ix_accounts_logged_out", "updated_at", "id", where=_LOGGED_OUT),
        _few("ix_accounts_state", "status", "created_at", "id", where=_NOT_ACTIVE),
        _few("ix_accounts_owner_state", "owner_id", "status", "created_at", "id", where=_NOT_ACTIVE),
        _few("ix_accounts_off", "owner_id", "created_at", "id", where=text("NOT active"), on_sqlite=text("active = 0")),
        _few("ix_accounts_rest", "owner_id", "rest_until", "id", "status", "platform", where=_RESTED),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    owner_id: Mapped[str] = mapped_column(String(64))
    platform: Mapped[str] = mapped_column(String(32))
    username: Mapped[str] = mapped_column(String(64))
    username_key: Mapped[str] = mapped_column(String(128))
    """The username without regard to case: one account per owner and platform has it."""
    login_method: Mapped[str] = mapped_column(String(16))
    email: Mapped[str | None] = mapped_column(String(320))
    password: Mapped[str | None] = mapped_column(Text)
    email_password: Mapped[str | None] = mapped_column(Text)
    cookies: Mapped[str | None] = mapped_column(Text)
    totp: Mapped[str | None] = mapped_column(Text)
    api: Mapped[str | None] = mapped_column(Text)
    """Tokens for the platform's official API, as JSON."""
    headers: Mapped[dict[str, str]] = mapped_column(JsonDict)
    user_agent: Mapped[str | None] = mapped_column(String(512))
    proxy_id: Mapped[str | None] = mapped_column(String(64))
    active: Mapped[bool] = mapped_column(Boolean)
    status: Mapped[str] = mapped_column(String(16))
    error_msg: Mapped[str | None] = mapped_column(String(500))
    next_step: Mapped[str] = mapped_column(String(32), default="")
    """What would help an account that cannot work; see `service.life`."""
    daily_budget: Mapped[int | None] = mapped_column(Integer)
    used_day: Mapped[str] = mapped_column(String(10), default="")
    """UTC date that `used_today` counts for."""
    used_today: Mapped[int] = mapped_column(Integer, default=0)
    rest_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Rest from everything; rests of one operation are in the ledger."""
    last_used: Mapped[datetime | None] = mapped_column(UtcDateTime)
    turn: Mapped[int] = mapped_column(BigInteger, default=0)
    """The order in which accounts are leased, by an index: it grows with each request, the slower the more requests
    the account may make a day."""
    begun: Mapped[int] = mapped_column(BigInteger, default=0)
    """`turn` before the newest choice of this account; the greatest of a pool is where those who come back begin."""
    last_report: Mapped[dict[str, object] | None] = mapped_column(JsonDict)
    fence: Mapped[int] = mapped_column(Integer, default=0)
    """Fencing token of the newest lease; it only grows."""
    given_fence: Mapped[int] = mapped_column(Integer, default=-1, server_default="-1")
    """The newest lease when its session or tokens were given: what is told under that one is about those before."""
    lease_holder: Mapped[str | None] = mapped_column(String(128))
    lease_operation: Mapped[str | None] = mapped_column(String(64))
    lease_expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    lease_reports: Mapped[int] = mapped_column(Integer, default=0)
    rev: Mapped[int] = mapped_column(Integer, default=1)
    """Grows with each change by a person: the ETag."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


class LedgerEntry(Base):
    """What is known of one account and one operation of the platform."""

    __tablename__ = "ledger"
    __table_args__ = (_few("ix_ledger_rest", "rest_until", "account_id", where=_RESTED),)

    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True)
    operation: Mapped[str] = mapped_column(String(64), primary_key=True)
    limit: Mapped[int | None] = mapped_column("limit_", Integer)
    remaining: Mapped[int | None] = mapped_column(Integer)
    """Requests left until `reset_at`: taken down by each lease, corrected by each answer."""
    reset_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    rest_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    used_day: Mapped[str] = mapped_column(String(10), default="")
    used_today: Mapped[int] = mapped_column(Integer, default=0)
    failures: Mapped[int] = mapped_column(Integer, default=0)
    """Answers in a row that were no success."""
    errors: Mapped[list[dict[str, object]] | None] = mapped_column(JsonList)
    """The newest of them, oldest first: at, status, codes, verdict."""
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
