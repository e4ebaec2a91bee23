"""Tasks: what users want."""

from __future__ import annotations

import json
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from xget_db.types import JsonDict, JsonList, UtcDateTime
from xget_scraper.models.base import Base
from xget_scraper.models.states import Status


class Task(Base):
    """A wish of a user; each run of it is an execution."""

    __tablename__ = "tasks"
    __table_args__ = (
        Index("ix_tasks_owner", "user_id", "created_at"),
        Index("ix_tasks_status", "status", "created_at"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    user_id: Mapped[str] = mapped_column(String(64))
    pool_owners: Mapped[list[str]] = mapped_column(JsonList)
    """Whose accounts and proxies it may use, in order: the owner, then the administrator who made it."""
    task_name: Mapped[str] = mapped_column(String(200))
    describe: Mapped[str] = mapped_column(Text)
    task_type: Mapped[str] = mapped_column(String(40))
    platform: Mapped[str] = mapped_column(String(20))
    parameters: Mapped[dict[str, Any]] = mapped_column(JsonDict)
    reobserve: Mapped[list[int] | None] = mapped_column(JsonList)
    """Ages in seconds at which what it found is seen again."""
    routes: Mapped[list[str] | None] = mapped_column(JsonList)
    """Routes to the platform, the preferred one first; None in tasks from before there were several."""
    account_id: Mapped[str | None] = mapped_column(String(64))
    proxy_id: Mapped[str | None] = mapped_column(String(64))
    priority: Mapped[int]
    immediate: Mapped[bool]
    status: Mapped[str] = mapped_column(String(12), default=Status.PENDING.value)
    message: Mapped[str | None] = mapped_column(Text)
    """What it does or waits for, as a sentence."""
    waiting: Mapped[dict[str, Any] | None] = mapped_column(JsonDict)
    """What its latest execution waits for, as `Execution.waiting` says it."""
    error_message: Mapped[str | None] = mapped_column(Text)
    progress: Mapped[int | None] = mapped_column(default=0)
    """Per cent of the limit; None while it runs without one."""
    result_count: Mapped[int] = mapped_column(default=0)
    """Matches that the latest execution has in storage."""
    execution_id: Mapped[str | None] = mapped_column(String(36))
    """The latest execution."""
    active: Mapped[bool] = mapped_column(default=False)
    """The latest execution has not ended."""
    rev: Mapped[int] = mapped_column(default=1)
    """Grows with each change; the ETag."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)

    @property
    def wish(self) -> str:
        """Digest of what is to be collected, however many results of it."""
        wanted = {name: value for name, value in self.parameters.items() if not name.startswith("limit")}
        wish = json.dumps([self.platform, self.task_type, wanted], sort_keys=True)
        return sha256(wish.encode()).hexdigest()

    def touch(self, now: datetime) -> None:
        """Mark the row as changed."""
        self.rev += 1
        self.updated_at = now
