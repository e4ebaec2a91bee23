"""Tables of the processing service."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final

from sqlalchemy import Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from xget_db.base import new_metadata
from xget_db.outbox import outbox_table
from xget_db.types import UtcDateTime


class Base(DeclarativeBase):
    """This service's tables."""

    metadata = new_metadata()
    type_annotation_map: ClassVar[dict[Any, Any]] = {datetime: UtcDateTime}


OPEN: Final = "open"
REPLAYED: Final = "replayed"
DISMISSED: Final = "dismissed"


class QuarantinedRecord(Base):
    """A record that no parser could read yet, with all that is needed to try again."""

    __tablename__ = "quarantine"
    __table_args__ = (
        UniqueConstraint("execution_id", "page_no", "attempt", "path", "parser_version"),
        Index("ix_quarantine_owner_id_id", "owner_id", "id"),
        Index("ix_quarantine_pages", "state", "execution_id", "page_no", "attempt"),
        Index("ix_quarantine_owner_pages", "owner_id", "state", "execution_id", "page_no", "attempt"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    execution_id: Mapped[str] = mapped_column(String(64))
    page_no: Mapped[int]
    attempt: Mapped[int] = mapped_column(server_default="0")
    """Of the page: one that is collected again after a crash may hold other records."""
    path: Mapped[str] = mapped_column(Text)
    parser_version: Mapped[str] = mapped_column(String(64))
    task_id: Mapped[str] = mapped_column(String(64), index=True)
    owner_id: Mapped[str] = mapped_column(String(64))
    platform: Mapped[str] = mapped_column(String(64))
    operation: Mapped[str] = mapped_column(String(128))
    reason: Mapped[str] = mapped_column(Text)
    shape: Mapped[str] = mapped_column(Text, server_default="")
    """Keys and types of the value; empty for records of older releases."""
    native_id: Mapped[str | None] = mapped_column(String(256))
    raw_zstd: Mapped[bytes] = mapped_column(LargeBinary)
    state: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class QuarantinedPage(Base):
    """The whole page of quarantined records, so that a mended parser can read it again."""

    __tablename__ = "quarantine_pages"

    execution_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    page_no: Mapped[int] = mapped_column(primary_key=True)
    attempt: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, server_default="0")
    message: Mapped[bytes] = mapped_column(LargeBinary)
    """The `PageCollected` as MessagePack."""


class ParserVersion(Base):
    """What a version of a platform's parser has read; a page that was delivered twice counts twice."""

    __tablename__ = "parser_versions"

    platform: Mapped[str] = mapped_column(String(64), primary_key=True)
    version: Mapped[str] = mapped_column(String(64), primary_key=True)
    pages: Mapped[int]
    items: Mapped[int]
    rejected: Mapped[int]
    first_used: Mapped[datetime]
    last_used: Mapped[datetime]


READING: Final = "reading"
FROZEN: Final = "frozen"
THAWING: Final = "thawing"
BY_RATE: Final = "rate"
BY_VERSION: Final = "version"
WHOLE: Final = 1000
"""Thousandths of a page."""


class ParserState(Base):
    """What a source's parser of one operation does: reads, is frozen, or reads what waited while it was frozen."""

    __tablename__ = "parsers"

    route: Mapped[str] = mapped_column(String(64), primary_key=True)
    operation: Mapped[str] = mapped_column(String(128), primary_key=True)
    platform: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16))
    version: Mapped[str] = mapped_column(String(64))
    """Which version the state is about: the one that was frozen, or the one that made it read again."""
    by: Mapped[str] = mapped_column(String(64))
    """Who brought the state about: `rate`, `version`, or a person's id; empty at the beginning."""
    since: Mapped[datetime]
    pages: Mapped[int]
    """Pages of the window that froze it."""
    failures: Mapped[int]
    """Thousandths of these pages that were rejected, added up."""

    @property
    def rate(self) -> float:
        """Share of the window's records that was rejected: 0 to 1."""
        return self.failures / self.pages / WHOLE if self.pages else 0.0

    @property
    def name(self) -> str:
        """How people call it."""
        return f"{self.route}:{self.operation}"


class ParserMinute(Base):
    """How a version of a parser did within a minute: the window of the decision to freeze."""

    __tablename__ = "parser_minutes"

    route: Mapped[str] = mapped_column(String(64), primary_key=True)
    operation: Mapped[str] = mapped_column(String(128), primary_key=True)
    version: Mapped[str] = mapped_column(String(64), primary_key=True)
    minute: Mapped[datetime] = mapped_column(primary_key=True)
    pages: Mapped[int]
    failures: Mapped[int]


class FrozenPage(Base):
    """A page that waits until its parser reads again."""

    __tablename__ = "frozen_pages"
    __table_args__ = (Index("ix_frozen_pages_order", "route", "operation", "execution_id", "page_no", "attempt"),)

    execution_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    page_no: Mapped[int] = mapped_column(primary_key=True)
    attempt: Mapped[int] = mapped_column(primary_key=True)
    route: Mapped[str] = mapped_column(String(64))
    operation: Mapped[str] = mapped_column(String(128))
    message: Mapped[bytes] = mapped_column(LargeBinary)
    """The `PageCollected` as MessagePack."""
    traceparent: Mapped[str | None] = mapped_column(String(128))
    frozen_at: Mapped[datetime]


NEW: Final = "new"
MISSING: Final = "missing"


class DriftShape(Base):
    """How many sampled pages had a shape (post, user, card…), by parser version."""

    __tablename__ = "drift_shapes"

    route: Mapped[str] = mapped_column(String(64), primary_key=True)
    version: Mapped[str] = mapped_column(String(64), primary_key=True)
    shape: Mapped[str] = mapped_column(String(64), primary_key=True)
    platform: Mapped[str] = mapped_column(String(64))
    pages: Mapped[int]
    untold: Mapped[int]
    """How often a new field was not taken in because there are too many."""


class DriftField(Base):
    """A field that a parser version does not know, or one that it counts on and that stays away."""

    __tablename__ = "drift_fields"

    route: Mapped[str] = mapped_column(String(64), primary_key=True)
    version: Mapped[str] = mapped_column(String(64), primary_key=True)
    shape: Mapped[str] = mapped_column(String(64), primary_key=True)
    path: Mapped[str] = mapped_column(String(500), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    """`new`, or `missing`."""
    operation: Mapped[str] = mapped_column(String(128))
    """Where it was new, or missing, last."""
    pages: Mapped[int]
    """Sampled pages that had a new field; the last ones, without a break, that lacked a missing one."""
    first_seen: Mapped[datetime]
    last_seen: Mapped[datetime]


class ForgottenAuthor(Base):
    """An author who was taken down: nothing of theirs comes in while `active`."""

    __tablename__ = "forgotten_authors"

    platform: Mapped[str] = mapped_column(String(64), primary_key=True)
    author_id: Mapped[str] = mapped_column(String(256), primary_key=True)
    active: Mapped[bool]
    at: Mapped[datetime]
    """When a person decided it: the latest decision holds."""


OUTBOX: Final = outbox_table(Base.metadata)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordFilter:
    """Which records; `owner` None = everybody's."""

    owner: str | None = None
    platform: str | None = None
    state: str | None = None
    execution_id: str | None = None
    task_id: str | None = None
    operation: str | None = None
    parser_version: str | None = None
    ids: Sequence[str] | None = None
