"""A platform that is searched by time, newest first, and that stalls, lies and repeats its cursors."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from random import Random
from typing import Any

import msgspec

from xget_sources.ports import (
    CollectRequest,
    KnownFields,
    PageToParse,
    Parsed,
    Preview,
    RawPage,
    Session,
    SourceStopped,
    Target,
    TaskTypeSpec,
)
from xget_sources.x.preview import preview_of
from xget_sources.x.targets import targets_of
from xget_sources.x.tasks import ALIASES, TASK_TYPES, parameters_of

OPERATION = "SearchTimeline"
Post = tuple[str, datetime]
Fault = Callable[["Asked"], str | None]
"""Tells how a page is spoilt: `stall` (the cursor again), `lie` (no more), `empty` (cursors without entries)."""


class Asked(msgspec.Struct, frozen=True):
    """A page that is asked for: of which search, window and place."""

    label: str
    since: datetime | None
    until: datetime | None
    offset: int
    oldest: datetime | None
    """Time of the oldest post that this page would list."""


class TimelineSource:
    """Implements `xget_sources.ports.Source` over `posts`: by the label of a target, or the same for all.

    `fault` looks at each page before it is given; `gone` has targets that end with a typed reason; `before` runs
    before each page. `asked` has every page that was asked for. `ends` is the end reason where nothing is spoilt.
    """

    platform = "x"
    route = "x"
    parser_version = "1"
    needs_account = True
    task_types: Mapping[str, TaskTypeSpec] = TASK_TYPES
    aliases: Mapping[str, str] = ALIASES

    def __init__(
        self, posts: Sequence[Post] | Mapping[str, Sequence[Post]], *, page_size: int = 20, fault: Fault | None = None
    ) -> None:
        by_label = posts if isinstance(posts, Mapping) else {"": posts}
        self.posts = {label: sorted(found, key=lambda post: post[1], reverse=True) for label, found in by_label.items()}
        self.page_size = page_size
        self.fault: Fault = fault or (lambda asked: None)
        self.gone: dict[str, str] = {}
        self.ends = "exhausted"
        self.before: Callable[[Asked], Awaitable[None]] | None = None
        self.asked: list[Asked] = []

    def targets(self, task_type: str, parameters: Mapping[str, Any]) -> Iterator[Target]:
        """X's targets."""
        return targets_of(parameters_of(TASK_TYPES[task_type], parameters))

    def preview(self, task_type: str, parameters: Mapping[str, Any]) -> Preview:
        """X's preview."""
        spec = TASK_TYPES[task_type]
        return preview_of(spec, parameters_of(spec, parameters))

    async def collect(self, request: CollectRequest, session: Session, cursor: str | None) -> AsyncGenerator[RawPage]:
        """Pages from `cursor` on, one lease each."""
        label = next(self.targets(request.task_type, request.parameters)).label
        since = request.since or request.parameters.get("since")
        until = request.until or request.parameters.get("until")
        found = [
            (key, at)
            for key, at in self.posts.get(label, self.posts.get("", []))
            if (since is None or at >= since) and (until is None or at < until)
        ]
        offset = int(cursor or 0)
        while True:
            listed = found[offset : offset + self.page_size]
            asked = Asked(label, since, until, offset, listed[-1][1] if listed else None)
            self.asked.append(asked)
            lease = await session.acquire(OPERATION)
            await session.release(lease)
            if self.before is not None:
                await self.before(asked)
            if label in self.gone:
                raise SourceStopped(self.gone[label], f"X does not show {label}.")
            page = self._page(asked, listed, cursor, lease.account_id)
            yield page
            if page.end_reason:
                return
            offset += self.page_size
            cursor = page.cursor_out

    def _page(self, asked: Asked, listed: Sequence[Post], cursor: str | None, account_id: str) -> RawPage:
        fault = self.fault(asked)
        if fault == "empty":
            listed = []
        last = fault is not None or not listed
        reason = {"stall": "stalled", "empty": "stalled"}.get(fault or "", self.ends) if last else None
        keys = [key for key, _ in listed]
        return RawPage(
            operation=OPERATION,
            route=self.route,
            request={"query": asked.label, "cursor": cursor},
            body=msgspec.json.encode({"keys": keys}),
            fetched_at=datetime.now(UTC),
            duration_ms=1,
            requests=1,
            entry_keys=keys,
            cursor_in=cursor,
            cursor_out=None if last else str(asked.offset + self.page_size),
            account_id=account_id,
            proxy_id=None,
            end_reason=reason,
            oldest_at=listed[-1][1] if listed else None,
            newest_at=listed[0][1] if listed else None,
        )

    def parse(self, page: PageToParse) -> Parsed:
        """Nothing: `PageStore` reads the keys itself."""
        return Parsed(items=[], authors=[], rejected=[])

    def fields(self, page: PageToParse) -> Mapping[str, frozenset[str]]:
        """None."""
        return {}

    def known_fields(self) -> KnownFields:
        """None."""
        return KnownFields(known={}, usual={})

    async def close(self) -> None:
        """Nothing is open."""


def posts_over(start: datetime, end: datetime, count: int, *, seed: int = 1) -> list[Post]:
    """So many posts at random seconds between two times; some share a second."""
    random = Random(seed)
    span = int((end - start).total_seconds())
    times = sorted(int(start.timestamp()) + random.randrange(span) for _ in range(count))
    return [(f"x:{1000 + n}", datetime.fromtimestamp(at, UTC)) for n, at in enumerate(times)]
