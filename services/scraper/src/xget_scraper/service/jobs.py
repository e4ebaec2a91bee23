"""A claimed execution in a worker's hands."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from xget_scraper.models import Execution, ExecutionTarget, Segment, Task
from xget_scraper.ports import Tenant
from xget_scraper.service.windows import is_answered
from xget_sources.ports import RawPage


class LeaseLostError(Exception):
    """Another run has the execution by now: drop it, nothing may be written for it any more."""


@dataclass(slots=True)
class Work:
    """The segment in hand, from its checkpoint on."""

    segment: Segment
    label: str
    parameters: Mapping[str, Any]
    matched: int
    """Matches of the whole target so far."""
    cursor: str | None
    route: str | None = None
    """By which it is asked for now."""
    asked_by: str | None = None
    """Whose cursor and window it has."""
    until: datetime | None = None
    oldest_at: datetime | None = None
    refused: dict[str, str] = field(default_factory=dict)
    """Routes that cannot be asked for it, and why in a sentence."""

    @classmethod
    def of(cls, segment: Segment, target: ExecutionTarget) -> Work:
        """The work of rows that were just read."""
        return cls(
            segment, target.label, target.parameters, target.matched, segment.cursor,
            route=segment.route, asked_by=segment.route if segment.pages else None,
            until=segment.until, oldest_at=segment.oldest_at,
        )  # fmt: skip


@dataclass(slots=True)
class Job:
    """One run of an execution, from its checkpoint on. `fence` proves that it is the present one."""

    execution_id: str
    task_id: str
    owner_id: str
    fence: int
    platform: str
    task_type: str
    parameters: Mapping[str, Any]
    limit: int | None
    tenant: Tenant
    planned: bool
    page_no: int
    matched: int
    """Matches that are checkpointed."""
    lease_until: datetime
    tries: int = 0
    """Failed attempts at the page in hand, one after the other."""
    trouble: str = ""
    """Why the last of them failed."""
    again: bool = False
    """It looks at known posts again."""
    ages: Sequence[int] = ()
    """Ages at which what it finds is seen again, in seconds."""
    traceparent: str = ""
    """The trace that asked for the execution."""
    work: Work | None = None
    """The segment in hand."""
    routes: Sequence[str] = ()
    """Routes to the platform, the preferred one first."""
    shut: dict[str, Any] = field(default_factory=dict)
    """Routes that give nothing for a while: `service.routes.Shut`."""
    fullest: int = 0
    """Most entries that a page has had."""

    @classmethod
    def of(cls, execution: Execution, task: Task, lease_until: datetime, trouble: str = "") -> Job:
        """The job of rows that were just claimed."""
        return cls(
            execution_id=execution.id,
            task_id=task.id,
            owner_id=task.user_id,
            fence=execution.fence,
            platform=task.platform,
            task_type=execution.lookup or task.task_type,
            parameters={} if execution.lookup else task.parameters,
            limit=execution.match_limit,
            tenant=Tenant(
                execution_id=execution.id,
                platform=task.platform,
                pool_owners=tuple(task.pool_owners),
                account_id=task.account_id,
                sticky_account_id=execution.account_id,
                proxy_id=task.proxy_id,
                task_id=task.id,
                requester_id=task.user_id,
                priority=execution.priority,
                immediate=execution.immediate,
            ),
            planned=execution.planned,
            page_no=execution.page_no,
            matched=execution.published_matches,
            lease_until=lease_until,
            tries=execution.tries,
            trouble=trouble,
            again=execution.lookup is not None,
            ages=() if execution.lookup else task.reobserve or (),
            traceparent=execution.traceparent or "",
            routes=tuple(task.routes or ()),
        )

    @property
    def segment(self) -> int:
        """Number of the segment in hand; there must be one."""
        if self.work is None:
            raise LookupError("No segment is in hand.")
        return self.work.segment.n

    @property
    def target(self) -> int:
        """Number of the target in hand; there must be one."""
        if self.work is None:
            raise LookupError("No target is in hand.")
        return self.work.segment.target

    @property
    def limit_per_target(self) -> int | None:
        """Most matches of one target."""
        return self.parameters.get("limit_per_target")

    @property
    def room(self) -> int | None:
        """How many matches more are wanted of the target in hand; None is all there are."""
        per_target, matched = self.limit_per_target, self.work.matched if self.work else 0
        left = [self.limit - self.matched] if self.limit is not None else []
        left += [per_target - matched] if per_target is not None else []
        return max(0, min(left)) if left else None

    def pick(self, page: RawPage, known: Container[str]) -> list[str]:
        """The page's matches: entries that are not `known` from earlier pages, as many as are wanted."""
        if not page.counts:
            return []
        fresh = [key for key in dict.fromkeys(page.entry_keys) if key not in known]
        return fresh[: self.room]

    def ends_with(self, page: RawPage, picked: list[str]) -> str | None:
        """Why the segment ends with this page, if it does."""
        room = self.room
        if room is not None and len(picked) >= room:
            return "limit_reached"
        if page.end_reason is None and self._is_answered(page, picked):
            return "exhausted"
        return page.end_reason

    def _is_answered(self, page: RawPage, picked: list[str]) -> bool:
        """Whether a probe has its answer already. A page that is rather full may hide older entries behind it."""
        if self.work is None or self.work.cursor is not None or picked:
            return False
        return len(page.entry_keys) * 2 <= self.fullest and is_answered(self.work.segment, page.oldest_at)

    def move_past(self, page: RawPage, picked: list[str]) -> None:
        """The page is checkpointed: go on behind it."""
        self.matched += len(picked)
        self.page_no += 1
        self.tries = 0
        self.fullest = max(self.fullest, len(page.entry_keys))
        if self.work is not None:
            self.work.matched += len(picked)
            self.work.cursor = page.cursor_out
            self.work.asked_by = page.route
            self.work.oldest_at = min(filter(None, (self.work.oldest_at, page.oldest_at)), default=None)
