"""Bodies of targets and gaps."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Self

from pydantic import BaseModel, Field, PlainSerializer

from xget_scraper.models import ExecutionTarget, Gap


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


Moment = Annotated[datetime, PlainSerializer(_rfc3339, return_type=str, when_used="json")]
"""A time, RFC 3339 in UTC on the wire."""

NOT_COLLECTED = "The execution ended before this was collected."


class TargetRead(BaseModel):
    """One of the things that an execution is about."""

    n: int
    label: str
    pages: int
    matched: int = Field(description="Matches that no earlier target of the execution had.")
    oldest_at: Moment | None = Field(description="Oldest entry seen.")
    newest_at: Moment | None = Field(description="Newest entry seen, here or in the runs before that it goes on from.")
    end_reason: str | None = Field(description="Null while it waits or runs.")
    detail: str | None

    @classmethod
    def of(cls, target: ExecutionTarget) -> Self:
        """The body of a row."""
        own = {name: getattr(target, name) for name in set(cls.model_fields) - {"detail"}}
        return cls(**own, detail=target.end_detail)


class GapRead(BaseModel):
    """A part of a target that is known to be missing."""

    target: str
    since: Moment | None = Field(description="From here on, included; null: from the beginning.")
    until: Moment | None = Field(description="Up to here, excluded; null: up to the end of the run.")
    end_reason: str | None
    why: str

    @classmethod
    def of(cls, gap: Gap) -> Self:
        """The body of a gap."""
        why = gap.end_detail or (STALLED if gap.end_reason else NOT_COLLECTED)
        return cls(target=gap.label, since=gap.since, until=gap.until, end_reason=gap.end_reason, why=why)


STALLED = "The platform stopped giving anything new; there may be more than was collected."


class GapsRead(BaseModel):
    """What an execution is missing, and the span of time that it was about."""

    since: Moment | None = Field(description="Earliest time that it asked for or saw.")
    until: Moment | None = Field(description="Latest time that it asked for or saw.")
    items: list[GapRead]
    page: int
    size: int
    total: int
    pages: int
