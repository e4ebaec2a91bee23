"""What became of accounts, and answers that nobody knows."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from xget_account.models.base import Base
from xget_db.types import JsonDict, UtcDateTime


class Move(Base):
    """An account came from one state into another, or stayed in it for another reason."""

    __tablename__ = "account_history"
    __table_args__ = (Index("ix_account_history_account", "account_id", "at", "id"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    account_id: Mapped[str] = mapped_column(String(36))
    """Of an account of this service; its moves are removed with it."""
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    from_state: Mapped[str] = mapped_column(String(16))
    to_state: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(String(500))
    next_step: Mapped[str] = mapped_column(String(32))
    by: Mapped[str] = mapped_column(String(64))
    """`playbook`, `login`, `keys`, `worker`, or a person's id."""
    rule: Mapped[str | None] = mapped_column(String(80))
    """The rule of the playbook that moved it, if one did."""
    playbook: Mapped[str | None] = mapped_column(String(16))
    """The revision of that playbook."""


class Sample(Base):
    """An answer of the platform that no row of the playbook knows, without what is secret or personal."""

    __tablename__ = "account_samples"
    __table_args__ = (Index("ix_account_samples_shape", "owner_id", "shape", "at"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    owner_id: Mapped[str] = mapped_column(String(64))
    account_id: Mapped[str] = mapped_column(String(36))
    platform: Mapped[str] = mapped_column(String(32))
    operation: Mapped[str] = mapped_column(String(64))
    shape: Mapped[str] = mapped_column(String(64))
    """Hash of status, codes, body kind and outline: the same for answers that look alike."""
    status: Mapped[int] = mapped_column(Integer)
    body_kind: Mapped[str] = mapped_column(String(32))
    answer: Mapped[dict[str, Any]] = mapped_column(JsonDict)
    """Error codes and the outline of the body: names and types, no values."""
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class Check(Base):
    """A look at an account that nobody has used for long."""

    __tablename__ = "account_checks"
    __table_args__ = (Index("ix_account_checks_account", "account_id", "at"), Index("ix_account_checks_at", "at"))

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    account_id: Mapped[str] = mapped_column(String(36))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
