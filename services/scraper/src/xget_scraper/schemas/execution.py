"""Bodies of executions and certificates."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Self

from pydantic import BaseModel, Field, PlainSerializer

from xget_scraper.models import ENDINGS, Execution, Status


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


Moment = Annotated[datetime, PlainSerializer(_rfc3339, return_type=str, when_used="json")]
"""A time, RFC 3339 in UTC on the wire."""


class Counts(BaseModel):
    """Items of an execution as storage counted them."""

    matched: int = Field(description="Items that answer the task.")
    context: int = Field(description="Items that came along (quoted, reposted, answered, beyond the limit).")
    new: int = Field(description="Nobody had stored them before.")
    updated: int = Field(description="Known and changed.")
    unchanged: int = Field(description="Known and as they were.")
    duplicate: int = Field(description="Seen on an earlier page of the same execution.")
    quarantined: int = Field(description="Records that could not be parsed and are kept in quarantine.")

    @classmethod
    def of(cls, execution: Execution) -> Self:
        """The counts of an execution so far."""
        return cls(**{name: getattr(execution, name) for name in cls.model_fields})


class ExecutionRead(BaseModel):
    """One run of a task."""

    id: str
    task_id: str
    user_id: str
    account_id: str | None = Field(description="The account used last.")
    proxy_id: str | None = Field(description="The proxy used last.")
    status: Status
    message: str | None
    error_message: str | None
    end_reason: str | None
    complete: bool | None = Field(description="Everything that was asked for was got; null until the end.")
    queued_at: Moment
    started_at: Moment | None
    completed_at: Moment | None
    duration: float | None = Field(description="Seconds.")
    resume_at: Moment | None = Field(description="When it goes on, while it waits.")
    result_count: int
    limit: int | None
    collected: int = Field(description="Matches collected, whether storage has confirmed them or not.")
    pages: int = Field(description="Pages collected.")
    pages_stored: int
    requests: int
    bytes: int
    retries: int
    resumes: int
    counts: Counts

    @classmethod
    def of(cls, execution: Execution) -> Self:
        """The body of a row."""
        ended = execution.completed_at is not None and execution.end_reason is not None
        own = {"complete", "result_count", "limit", "pages", "counts", "end_reason", "collected"}
        return cls(
            **{name: getattr(execution, name) for name in set(cls.model_fields) - own},
            end_reason=execution.end_reason,
            complete=ENDINGS[str(execution.end_reason)].complete if ended else None,
            result_count=execution.matched,
            limit=execution.match_limit,
            collected=execution.published_matches,
            pages=execution.page_no,
            counts=Counts.of(execution),
        )


class CertificateRead(BaseModel):
    """What an execution did, proven from what is stored."""

    task_id: str
    execution_id: str
    status: Status
    end_reason: str
    complete: bool = Field(description="Everything that was asked for was got.")
    sentence: str
    pages: int
    cursor_first: str | None = Field(description="Cursor that the first page was asked with.")
    cursor_last: str | None = Field(description="Cursor that the last page gave.")
    first_id: str | None = Field(description="Oldest match.")
    first_at: Moment | None
    last_id: str | None = Field(description="Newest match.")
    last_at: Moment | None
    counts: Counts
    accounts: list[str]
    routes: list[str]
    requests: int
    bytes: int
    duration: float | None = Field(description="Seconds.")
    started_at: Moment | None
    completed_at: Moment
    retries: int
    resumes: int
    issued_at: Moment
