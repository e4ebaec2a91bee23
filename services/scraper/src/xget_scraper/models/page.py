"""Pages of an execution and its certificate."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from xget_db.types import JsonDict, UtcDateTime
from xget_scraper.models.base import Base


class Page(Base):
    """What is known of one page: its collection (by the worker) and its storing (from `xget.stored`).

    Either half may be written first. The page is settled when both are there and what was stored is not older than
    what was collected last.
    """

    __tablename__ = "pages"
    __table_args__ = (
        Index(
            "ix_pages_unsettled",
            "execution_id",
            sqlite_where=text("settled = 0"),
            postgresql_where=text("NOT settled"),
        ),
    )

    execution_id: Mapped[str] = mapped_column(ForeignKey("task_executions.id", ondelete="CASCADE"), primary_key=True)
    page_no: Mapped[int] = mapped_column(primary_key=True)
    settled: Mapped[bool] = mapped_column(default=False)

    attempt: Mapped[int | None]
    """Fence of the run that collected it; None while only its storing is known."""
    segment: Mapped[int | None]
    """Number of the segment that it is of."""
    operation: Mapped[str | None] = mapped_column(String(80))
    route: Mapped[str | None] = mapped_column(String(40))
    cursor_in: Mapped[str | None] = mapped_column(Text)
    cursor_out: Mapped[str | None] = mapped_column(Text)
    sha256: Mapped[str | None] = mapped_column(String(64))
    bytes: Mapped[int] = mapped_column(default=0)
    requests: Mapped[int] = mapped_column(default=0)
    account_id: Mapped[str | None] = mapped_column(String(64))
    proxy_id: Mapped[str | None] = mapped_column(String(64))
    fetched_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    stored_attempt: Mapped[int | None]
    stored_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    matched: Mapped[int] = mapped_column(default=0)
    context: Mapped[int] = mapped_column(default=0)
    new: Mapped[int] = mapped_column(default=0)
    updated: Mapped[int] = mapped_column(default=0)
    unchanged: Mapped[int] = mapped_column(default=0)
    duplicate: Mapped[int] = mapped_column(default=0)
    quarantined: Mapped[int] = mapped_column(default=0)
    first_id: Mapped[str | None] = mapped_column(String(80))
    last_id: Mapped[str | None] = mapped_column(String(80))
    first_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    def settle(self) -> None:
        """Work out whether storage has what was collected last. Attempt 0 in storage means that it was not told."""
        self.settled = (
            self.attempt is not None
            and self.stored_attempt is not None
            and (self.stored_attempt == 0 or self.stored_attempt >= self.attempt)
        )


class Match(Base):
    """An entry that has answered an execution: whoever meets it on a later page counts it no more."""

    __tablename__ = "matches"
    __table_args__ = ({"sqlite_with_rowid": False},)

    execution_id: Mapped[str] = mapped_column(ForeignKey("task_executions.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)


class Certificate(Base):
    """The proof of what an execution did; written when every page is stored."""

    __tablename__ = "certificates"

    execution_id: Mapped[str] = mapped_column(ForeignKey("task_executions.id", ondelete="CASCADE"), primary_key=True)
    body: Mapped[dict[str, Any]] = mapped_column(JsonDict)
    issued_at: Mapped[datetime] = mapped_column(UtcDateTime)
