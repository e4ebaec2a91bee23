"""Logins by the machine: what is known of an account's, and each attempt."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Integer, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from xget_account.models.base import Base
from xget_db.types import UtcDateTime

LOGIN_SECRETS = ("browser_state", "refused")
"""Columns that hold a ciphertext, bound to `account_logins:<account id>:<column>`."""


class Login(Base):
    """How logging in goes for one account: its lease, its pauses, and the state of its browser."""

    __tablename__ = "account_logins"

    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True)
    browser_state: Mapped[str | None] = mapped_column(Text)
    """Cookies and local storage of the account's browser (Playwright's `storage_state`)."""
    refused: Mapped[str | None] = mapped_column(Text)
    """Digest of the secrets that the platform refused: no further try by itself until they change."""
    refused_rev: Mapped[int | None] = mapped_column(Integer)
    """The account's `rev` at which the digest was compared last."""
    holder: Mapped[str | None] = mapped_column(String(128))
    fence: Mapped[int] = mapped_column(Integer, default=0)
    """Grows with each login begun; a result of an older one is thrown away."""
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When the login that is under way counts as dead."""
    failures: Mapped[int] = mapped_column(Integer, default=0)
    """Failed tries since the last success."""
    next_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """No try by itself before."""
    day: Mapped[str] = mapped_column(String(10), default="")
    """UTC date that `today` counts for."""
    today: Mapped[int] = mapped_column(Integer, default=0)


class LoginAttempt(Base):
    """One try. It is open until it has an outcome, and an account has one open try at most."""

    __tablename__ = "account_login_attempts"
    __table_args__ = (
        Index("ix_account_login_attempts_account", "account_id", "at", "id"),
        Index(
            "uq_account_login_attempts_open",
            "account_id",
            unique=True,
            sqlite_where=text("outcome IS NULL"),
            postgresql_where=text("outcome IS NULL"),
        ),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    """When it was asked for."""
    asked_by: Mapped[str] = mapped_column(String(64))
    """A person's id, or `worker`."""
    method: Mapped[str] = mapped_column(String(16))
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    starts: Mapped[int] = mapped_column(Integer, default=0)
    """How often it was begun: again after a worker died under it."""
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    outcome: Mapped[str | None] = mapped_column(String(32))
    sentence: Mapped[str] = mapped_column(String(500), default="")
    screenshot: Mapped[str | None] = mapped_column(String(500))
    """Path on the worker's machine: the last page, inputs blanked."""
