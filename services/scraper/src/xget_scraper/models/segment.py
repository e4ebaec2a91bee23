"""Targets of an execution, the segments that they are collected in, and how far complete runs have come."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from xget_db.types import JsonDict, UtcDateTime
from xget_scraper.models.base import Base

SOUND: Final = frozenset({"exhausted", "window_covered", "ranking_ended", "limit_reached"})
"""End reasons after which there is nothing of a segment or target left to ask for."""


class SegmentState(StrEnum):
    """What became of a segment."""

    OPEN = "open"
    DONE = "done"
    SPLIT = "split"
    """It ended early, and others go on in its place."""
    GAP = "gap"
    """The platform would not show it: known to be missing."""
    FAILED = "failed"
    """Its target cannot be collected."""


class ExecutionTarget(Base):
    """One of the things that an execution is about, as its source names it."""

    __tablename__ = "execution_targets"
    __table_args__ = (Index("ix_execution_targets_ended", "execution_id", "end_reason"),)

    execution_id: Mapped[str] = mapped_column(ForeignKey("task_executions.id", ondelete="CASCADE"), primary_key=True)
    n: Mapped[int] = mapped_column(primary_key=True)
    """1, 2, 3… as the source lists them; a backfill keeps the numbers of the run that it mends."""
    label: Mapped[str] = mapped_column(Text)
    parameters: Mapped[dict[str, Any]] = mapped_column(JsonDict)
    pages: Mapped[int] = mapped_column(default=0)
    matched: Mapped[int] = mapped_column(default=0)
    oldest_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    newest_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Newest entry seen, also by the run that a backfill mends."""
    end_reason: Mapped[str | None] = mapped_column(String(24))
    end_detail: Mapped[str | None] = mapped_column(Text)


class Segment(Base):
    """The unit of collecting: a target, or a window of one, with a cursor of its own."""

    __tablename__ = "segments"
    __table_args__ = (Index("ix_segments_state", "execution_id", "state", "target"),)

    execution_id: Mapped[str] = mapped_column(ForeignKey("task_executions.id", ondelete="CASCADE"), primary_key=True)
    n: Mapped[int] = mapped_column(primary_key=True)
    target: Mapped[int]
    """Number of its target."""
    parent: Mapped[int | None]
    """The segment in whose place it goes on."""
    windowed: Mapped[bool]
    depth: Mapped[int] = mapped_column(default=0)
    """How often its window was halved: whoever is halved more waits longer, so that what can be had is had first."""
    since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    probe: Mapped[bool] = mapped_column(default=False)
    """It only asks whether there is really no more."""
    empties: Mapped[int] = mapped_column(default=0)
    """How often this window has answered with nothing before."""
    state: Mapped[str] = mapped_column(String(8), default=SegmentState.OPEN.value)
    cursor: Mapped[str | None] = mapped_column(Text)
    route: Mapped[str | None] = mapped_column(String(40))
    """Whose cursor it is, or by which route the segment is to begin."""
    pages: Mapped[int] = mapped_column(default=0)
    matched: Mapped[int] = mapped_column(default=0)
    oldest_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    end_reason: Mapped[str | None] = mapped_column(String(24))
    end_detail: Mapped[str | None] = mapped_column(Text)


class Gap(NamedTuple):
    """A part of a target that is known to be missing; None leaves an end open."""

    label: str
    since: datetime | None
    until: datetime | None
    end_reason: str | None
    end_detail: str | None


class Mark(Base):
    """How far up a target of a task is known without a hole."""

    __tablename__ = "marks"

    task_id: Mapped[str] = mapped_column(ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True)
    target: Mapped[str] = mapped_column(String(64), primary_key=True)
    """Digest of the target's label."""
    wish: Mapped[str] = mapped_column(String(64))
    """Of the execution that was complete: a task that wants something else since then has no mark."""
    newest_at: Mapped[datetime] = mapped_column(UtcDateTime)
