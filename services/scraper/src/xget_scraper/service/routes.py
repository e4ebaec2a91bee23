"""Which route asks for the segment in hand, and which one when that is shut. A failover is at a page boundary.

Nothing of it is written before the first page of the new route is there: in that page's checkpoint. Whoever is killed
in between begins again with the old route, which is still shut, or works again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from xget_scraper.models import Execution, Segment
from xget_scraper.service.jobs import Job, Work
from xget_scraper.service.segments import Rest
from xget_scraper.service.windows import SECOND, whole
from xget_sources.ports import NoAccount, NotOffered, RawPage, Source, SourceStopped

PATIENCE: Final = timedelta(seconds=60)
"""A route whose accounts have room so soon is waited for."""
BLOCKED: Final = timedelta(minutes=5)
"""For how long a route is left alone that its platform has shut."""
SHUTTING: Final = frozenset({"blocked", "no_account", "rate_limited_out"})
TRIES: Final = 6
"""Of the same page, by the only route that there is."""
LONGEST_PAUSE: Final = 16.0
TRIES_OF_ROUTE: Final = 3
"""Of the same page, before the next route is asked for it."""


@dataclass(slots=True)
class Ways:
    """The routes of a job for one segment."""

    job: Job
    work: Work
    sources: Mapping[str, Source]
    refused: dict[str, SourceStopped] = field(default_factory=dict)
    """Routes that do not have what this segment is about, or cannot read it."""
    tired: bool = False
    """Those that failed too often are shut."""

    def next(self, now: datetime) -> Source | None:
        """The source that asks next, with the work made ready for it; None when all routes are shut."""
        job = self.job
        for route in self._order(now):
            shut = job.shut.get(route)
            if route in self.sources and route not in self.refused and (shut is None or shut.until <= now):
                self._turn_to(route)
                return self.sources[route]
        return None

    def shut(self, why: NoAccount | SourceStopped, now: datetime) -> bool:
        """Note why the present route gives nothing; False when that is no reason to try another one."""
        route = self.work.route or ""
        if isinstance(why, SourceStopped) and (isinstance(why, NotOffered) or (self.may_turn and is_final(why))):
            self.refused[route] = why
            self.work.refused[route] = "It does not have this part of what was asked for."
            if not isinstance(why, NotOffered):
                self.work.refused[route] = why.detail
            return True
        if len(self.job.routes) < 2:
            return False
        if isinstance(why, NoAccount):
            if why.resume_at is not None and why.resume_at - now <= PATIENCE:
                return False
            until = why.resume_at or datetime.max.replace(tzinfo=now.tzinfo)
        elif why.reason in SHUTTING:
            until = now + BLOCKED
        else:
            return False
        self.job.shut[route] = Shut(until, why)
        return True

    @property
    def may_turn(self) -> bool:
        """Whether another route may be asked for what the present one fails at."""
        return any(route in self.sources and route not in {*self.refused, self.work.route} for route in self.job.routes)

    def _order(self, now: datetime) -> list[str]:
        """The routes, that of the last page first; those that failed at the page in hand too often are shut."""
        job, current = self.job, self.work.route
        order = list(dict.fromkeys([current, *job.routes] if current and current in job.routes else job.routes))
        if len(order) > 1 and not self.tired:
            self.tired = True
            for route in order[: job.tries // TRIES_OF_ROUTE]:
                detail = f"{job.trouble} It failed {TRIES_OF_ROUTE} times in a row.".strip()
                job.shut.setdefault(route, Shut(now + BLOCKED, SourceStopped("source_error", detail, retryable=True)))
        return order

    def refusal(self) -> NoAccount | SourceStopped:
        """Why all routes are shut, as one: the earliest that says when it opens, else the first."""
        reasons = [self.job.shut[route].why for route in self.job.routes if route in self.job.shut]
        later = [why for why in reasons if isinstance(why, NoAccount) and why.resume_at is not None]
        if later:
            return min(later, key=lambda why: why.resume_at or datetime.max)
        stopped = [why for why in reasons if isinstance(why, SourceStopped)]
        if stopped:
            return next((why for why in stopped if why.retryable), stopped[0])
        none = [why for why in reasons if isinstance(why, NoAccount)]
        if none:
            return NoAccount(" ".join(dict.fromkeys(why.detail for why in none)), None)
        detail = " ".join(dict.fromkeys(why.detail for why in self.refused.values()))
        return SourceStopped("source_error", detail or "No route that the task names is installed.")

    @property
    def failed(self) -> bool:
        """Whether each route was asked for this segment and has refused it."""
        return len(self.refused) >= len(self.job.routes)

    def _turn_to(self, route: str) -> None:
        """A cursor of another route means nothing here: begin below the oldest entry that was seen."""
        work = self.work
        if work.asked_by is not None and route not in {work.asked_by, work.route}:
            work.cursor = None
            below = whole(work.oldest_at)
            if below is not None and (work.until is None or below + SECOND < work.until):
                work.until = below + SECOND
        work.route = route


@dataclass(slots=True)
class Shut:
    """A route that gives nothing for a while."""

    until: datetime
    why: NoAccount | SourceStopped


def note_route(execution: Execution, segment: Segment, job: Job, page: RawPage, now: datetime) -> None:
    """Write down, with a page, that its route is another one than that of the page before."""
    before = segment.route or (job.routes[0] if job.routes else page.route)
    if before != page.route:
        shut = job.shut.get(before)
        told = job.work.refused.get(before, "") if job.work else ""
        why = told or (shut.why.detail if shut else "Its turn had come.")
        entry = {"at": now.isoformat(), "from": before, "to": page.route, "page": execution.page_no, "why": why[:500]}
        execution.failovers = [*(execution.failovers or []), entry][-MOST_FAILOVERS:]
    segment.route = page.route
    if job.work is not None:
        segment.until = job.work.until


def is_final(why: SourceStopped) -> bool:
    """An error of the source that asking again does not change, such as an answer that nobody knows."""
    return why.reason == "source_error" and not why.retryable


def most_tries(job: Job) -> int:
    """After how many failed attempts at a page in a row nothing more is tried."""
    return TRIES_OF_ROUTE * len(job.routes) if len(job.routes) > 1 else TRIES


def pause_after(job: Job, tries: int) -> timedelta:
    """How long the page in hand is left alone after so many failed attempts; not at all by the next route."""
    if len(job.routes) > 1:
        tries %= TRIES_OF_ROUTE
    return timedelta(seconds=min(LONGEST_PAUSE, 2.0 ** (tries - 1)) if tries else 0.0)


def rest_after(job: Job, page: RawPage, reason: str | None) -> Rest | None:
    """What a last page's route does not reach, and the route that may have it."""
    if reason != "reach_ended":
        return None
    return Rest(page.reach, next((route for route in job.routes if route != page.route), None))


MOST_FAILOVERS: Final = 50
"""Failovers that an execution remembers: the last ones."""
