"""Bodies of executions and certificates."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from xget_scraper.models import ENDINGS, Execution, Status
from xget_scraper.schemas.segment import GapRead, Moment, TargetRead


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


class Waiting(BaseModel):
    """What a run waits for; its status stays PENDING or RUNNING meanwhile."""

    reason: Literal["account", "retry", "service", "worker", "storage"] = Field(
        description="account: none has room now; retry: a pause before the same page is asked for again; service: a "
        "part of XGet does not answer; worker: one that is free; storage: that it writes the last pages."
    )
    since: Moment | None = Field(None, description="Since when no account had room.")
    until: Moment | None = Field(None, description="When it goes on at the latest; null: as soon as it can.")
    accounts: int | None = Field(None, description="Accounts that have room then, if they were counted.")

    @classmethod
    def of(cls, told: dict[str, Any] | None) -> Self | None:
        """From the JSON of a row."""
        return None if told is None else cls.model_validate(told)


class ExecutionRead(BaseModel):
    """One run of a task."""

    id: str
    task_id: str
    user_id: str
    kind: Literal["collection", "reobservation"] = Field(description="Whether it collects, or sees known posts again.")
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
    waiting: Waiting | None = Field(description="What it waits for; null while it collects and once it has ended.")
    result_count: int
    limit: int | None
    collected: int = Field(description="Matches collected, whether storage has confirmed them or not.")
    pages: int = Field(description="Pages collected.")
    pages_stored: int
    requests: int
    bytes: int
    retries: int
    resumes: int
    backfill_of: str | None = Field(description="The execution whose gaps and failed targets this one collects.")
    continues: bool = Field(description="It began where earlier runs were complete.")
    targets: int = Field(description="Users, posts, lists, queries… that it is about, as far as they are counted.")
    targets_done: int
    windows: int = Field(description="Segments that it was collected in.")
    counts: Counts

    @classmethod
    def of(cls, execution: Execution) -> Self:
        """The body of a row."""
        ended = execution.completed_at is not None and execution.end_reason is not None
        own = {"complete", "result_count", "limit", "pages", "counts", "end_reason", "collected", "windows", "kind"}
        complete = execution.complete
        return cls(
            **{name: getattr(execution, name) for name in set(cls.model_fields) - own},
            kind="reobservation" if execution.lookup else "collection",
            end_reason=execution.end_reason,
            complete=ENDINGS[str(execution.end_reason)].complete if ended and complete is None else complete,
            windows=execution.segments,
            result_count=execution.matched,
            limit=execution.match_limit,
            collected=execution.published_matches,
            pages=execution.page_no,
            counts=Counts.of(execution),
        )


class RouteUse(BaseModel):
    """What came by one route."""

    route: str
    pages: int
    requests: int


class Failover(BaseModel):
    """Another route went on."""

    model_config = ConfigDict(populate_by_name=True)

    at: Moment
    source: str = Field(alias="from")
    to: str
    page: int = Field(description="The first page of the new route.")
    why: str


class CertificateRead(BaseModel):
    """What an execution did, proven from what is stored."""

    task_id: str
    execution_id: str
    status: Status
    end_reason: str
    complete: bool = Field(description="Everything that was asked for was got: nothing failed, and there is no gap.")
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
    by_route: list[RouteUse] = Field([], description="What each of them gave.")
    failovers: list[Failover] = Field([], description="When another route went on, and why: the last 50.")
    requests: int
    bytes: int
    duration: float | None = Field(description="Seconds.")
    started_at: Moment | None
    completed_at: Moment
    retries: int
    resumes: int
    backfill_of: str | None = Field(None, description="The execution whose gaps and failed targets this one collects.")
    targets: int = Field(0, description="Users, posts, lists, queries… that it was about.")
    windows: int = Field(0, description="Segments that it was collected in.")
    gaps: list[GapRead] = Field([], description="What is known to be missing: the first 20.")
    gaps_total: int = 0
    failed_targets: list[TargetRead] = Field([], description="Targets that could not be collected: the first 20.")
    failed_targets_total: int = 0
    issued_at: Moment
