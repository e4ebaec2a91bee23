"""A claimed execution in a worker's hands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from xget_scraper.models import Execution, Task
from xget_scraper.ports import Tenant
from xget_sources.ports import RawPage


class LeaseLostError(Exception):
    """Another run has the execution by now: drop it, nothing may be written for it any more."""


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
    cursor: str | None
    page_no: int
    lease_until: datetime
    traceparent: str = ""
    """The trace that asked for the execution."""
    seen: set[str] = field(default_factory=set)
    """Keys that checkpointed pages gave as matches."""

    @classmethod
    def of(cls, execution: Execution, task: Task, lease_until: datetime) -> Job:
        """The job of rows that were just claimed."""
        return cls(
            execution_id=execution.id,
            task_id=task.id,
            owner_id=task.user_id,
            fence=execution.fence,
            platform=task.platform,
            task_type=task.task_type,
            parameters=task.parameters,
            limit=execution.match_limit,
            tenant=Tenant(
                execution_id=execution.id,
                platform=task.platform,
                pool_owners=tuple(task.pool_owners),
                account_id=task.account_id,
                sticky_account_id=execution.account_id,
                proxy_id=task.proxy_id,
            ),
            cursor=execution.cursor,
            page_no=execution.page_no,
            lease_until=lease_until,
            traceparent=execution.traceparent or "",
        )

    def pick(self, page: RawPage) -> list[str]:
        """The page's matches: entries that no earlier page of the execution had, as many as the limit has room for."""
        if not page.counts:
            return []
        fresh = [key for key in dict.fromkeys(page.entry_keys) if key not in self.seen]
        return fresh if self.limit is None else fresh[: max(0, self.limit - len(self.seen))]

    def ends_with(self, page: RawPage, picked: list[str]) -> str | None:
        """Why the execution ends with this page, if it does."""
        if self.limit is not None and len(self.seen) + len(picked) >= self.limit:
            return "limit_reached"
        return page.end_reason

    def move_past(self, page: RawPage, picked: list[str]) -> None:
        """The page is checkpointed: go on behind it."""
        self.seen.update(picked)
        self.page_no += 1
        self.cursor = page.cursor_out
