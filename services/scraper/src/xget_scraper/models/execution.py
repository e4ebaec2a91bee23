"""Executions: runs of a task, with lease, cursor and counts."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from xget_db.types import JsonList, UtcDateTime
from xget_kernel.ids import new_id
from xget_scraper.models.base import Base
from xget_scraper.models.states import Move, Phase, Status, advance, status_of
from xget_scraper.models.task import Task

COUNTERS: Final = (
    "fence",
    "tries",
    "retries",
    "resumes",
    "page_no",
    "published_matches",
    "requests",
    "bytes",
    "matched",
    "context",
    "new",
    "updated",
    "unchanged",
    "duplicate",
    "quarantined",
    "pages_stored",
    "targets",
    "targets_done",
    "segments",
    "fruitless",
)
"""Columns that start at 0."""


class Execution(Base):
    """One run of a task. `fence` names the run's present holder: who comes with an older one is refused."""

    __tablename__ = "task_executions"
    __table_args__ = (
        Index("ix_task_executions_claim", "phase", "immediate", "priority", "queued_at"),
        Index("ix_task_executions_task", "task_id", "queued_at"),
        Index("ix_task_executions_owner", "user_id", "queued_at"),
        Index("ix_task_executions_keyed", "phase", sqlite_where=text("keyed = 1"), postgresql_where=text("keyed")),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    task_id: Mapped[str] = mapped_column(ForeignKey("tasks.id", ondelete="CASCADE"))
    user_id: Mapped[str] = mapped_column(String(64))
    phase: Mapped[str] = mapped_column(String(12), default=Phase.QUEUED.value)
    status: Mapped[str] = mapped_column(String(12), default=Status.PENDING.value)
    immediate: Mapped[bool]
    priority: Mapped[int]
    match_limit: Mapped[int | None]
    queued_at: Mapped[datetime] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    completed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    fence: Mapped[int] = mapped_column(default=0)
    lease_owner: Mapped[str | None] = mapped_column(String(64))
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    resume_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Not to be claimed before."""
    waiting_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Since when no account had room."""
    waits_for: Mapped[str | None] = mapped_column(String(12))
    """Why it is not to be claimed before `resume_at`: account, retry or service."""
    room_accounts: Mapped[int | None]
    """Accounts that have room at `resume_at`, when it waits for one and they were counted."""
    tries: Mapped[int] = mapped_column(default=0)
    """Failed attempts at the page in hand."""
    retries: Mapped[int] = mapped_column(default=0)
    """Failed attempts in all."""
    resumes: Mapped[int] = mapped_column(default=0)
    """How often another run went on from the checkpoint."""
    stop_requested: Mapped[bool] = mapped_column(default=False)

    wish: Mapped[str] = mapped_column(String(64), default="")
    """Digest of what the task wanted then; runs with the same one go on from one another."""
    continues: Mapped[bool] = mapped_column(default=False)
    """Windows begin where earlier runs were complete."""
    lookup: Mapped[str | None] = mapped_column(String(40))
    """The task type by which it looks at known posts again; None for a run that collects."""
    backfill_of: Mapped[str | None] = mapped_column(String(36))
    """The run whose missing parts this one collects."""
    planned: Mapped[bool] = mapped_column(default=False)
    """All targets have their rows."""
    targets: Mapped[int] = mapped_column(default=0)
    targets_done: Mapped[int] = mapped_column(default=0)
    segments: Mapped[int] = mapped_column(default=0)
    """The last number that a segment was given."""
    fruitless: Mapped[int] = mapped_column(default=0)
    """Segments in a row that gave nothing but trouble."""
    complete: Mapped[bool | None]
    """Everything that was asked for was got; None until the end."""

    page_no: Mapped[int] = mapped_column(default=0)
    """The last page that is published and checkpointed."""
    published_matches: Mapped[int] = mapped_column(default=0)
    keyed: Mapped[bool] = mapped_column(default=False)
    """Its matches are still known by their keys."""
    account_id: Mapped[str | None] = mapped_column(String(64))
    proxy_id: Mapped[str | None] = mapped_column(String(64))
    failovers: Mapped[list[dict[str, Any]] | None] = mapped_column(JsonList)
    """When another route went on, from which page, and why."""
    requests: Mapped[int] = mapped_column(default=0)
    bytes: Mapped[int] = mapped_column(BigInteger, default=0)

    end_reason: Mapped[str | None] = mapped_column(String(24))
    end_detail: Mapped[str | None] = mapped_column(Text)
    message: Mapped[str | None] = mapped_column(Text)
    traceparent: Mapped[str | None] = mapped_column(String(64))
    """Trace of the request that wanted this run; whoever claims it goes on there."""
    error_message: Mapped[str | None] = mapped_column(Text)

    matched: Mapped[int] = mapped_column(default=0)
    context: Mapped[int] = mapped_column(default=0)
    new: Mapped[int] = mapped_column(default=0)
    updated: Mapped[int] = mapped_column(default=0)
    unchanged: Mapped[int] = mapped_column(default=0)
    duplicate: Mapped[int] = mapped_column(default=0)
    quarantined: Mapped[int] = mapped_column(default=0)
    pages_stored: Mapped[int] = mapped_column(default=0)

    @classmethod
    def queued(cls, task: Task, now: datetime) -> Execution:
        """A new run of `task`, ready to be claimed."""
        return cls(
            id=new_id(),
            task_id=task.id,
            user_id=task.user_id,
            phase=Phase.QUEUED.value,
            status=Status.PENDING.value,
            immediate=task.immediate,
            priority=task.priority,
            match_limit=task.parameters.get("limit"),
            queued_at=now,
            stop_requested=False,
            wish=task.wish,
            continues=False,
            planned=False,
            keyed=False,
            **dict.fromkeys(COUNTERS, 0),
        )

    def advance(self, move: Move) -> None:
        """Move on by the table of states; raises IllegalMoveError."""
        self.phase = advance(Phase(self.phase), move).value
        if self.phase != Phase.COLLECTING:
            self.lease_owner = None
            self.lease_until = None
        self.status = status_of(
            Phase(self.phase), started=self.started_at is not None, end_reason=self.end_reason
        ).value

    @property
    def waiting(self) -> dict[str, Any] | None:
        """What it waits for at this moment, as JSON; None while it collects and once it has ended."""
        if self.phase == Phase.DRAINING:
            return {"reason": "storage"}
        if self.phase != Phase.QUEUED:
            return None
        if self.resume_at is None:
            return {"reason": "worker"}
        reason = self.waits_for or ("account" if self.waiting_since else "retry")  # rows from before it was kept
        waiting: dict[str, Any] = {"reason": reason, "until": self.resume_at.isoformat()}
        if reason == "account" and self.waiting_since is not None:
            waiting |= {"since": self.waiting_since.isoformat(), "accounts": self.room_accounts}
        return waiting

    @property
    def duration(self) -> float | None:
        """Seconds from the first claim to the end; of two processes' times, so never less than nothing."""
        if self.started_at is None or self.completed_at is None:
            return None
        return max(0.0, round((self.completed_at - self.started_at).total_seconds(), 3))
