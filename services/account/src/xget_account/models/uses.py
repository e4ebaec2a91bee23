"""Who used which account."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from xget_account.models.base import Base
from xget_db.types import UtcDateTime


class LeaseLog(Base):
    """One run leased one account for one operation, so many times. Old rows are removed by the account worker."""

    __tablename__ = "lease_log"
    __table_args__ = (Index("ix_lease_log_last_at", "last_at"),)

    account_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    """Of an account that may have been removed since."""
    holder: Mapped[str] = mapped_column(String(128), primary_key=True)
    """An execution's id, or who else asked."""
    operation: Mapped[str] = mapped_column(String(64), primary_key=True)
    requester_id: Mapped[str] = mapped_column(String(64), default="", server_default="")
    """Whose run it was; empty for the account's owner."""
    first_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_at: Mapped[datetime] = mapped_column(UtcDateTime)
    times: Mapped[int] = mapped_column(Integer)
