"""A platform with as many posts as one likes, one a second, newest first, of which nothing is kept in memory."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from datetime import UTC, datetime, timedelta

from xget_sources.ports import CollectRequest, RawPage, Session
from xget_testing.collecting.source import OPERATION, ListSource

START = datetime(2020, 1, 1, tzinfo=UTC)
PER_PAGE = 20
BODIES = "bodies.msgpack"
"""File of the bodies, in the home of a worker."""


class Endless(ListSource):
    """`bodies` are sent in turn; `listed` hears of each page how many posts were listed before it."""

    def __init__(self, posts: int, bodies: Sequence[bytes], listed: Callable[[int], None]) -> None:
        super().__init__([])
        self._posts = posts
        self._bodies = bodies
        self._listed = listed

    async def collect(self, request: CollectRequest, session: Session, cursor: str | None) -> AsyncGenerator[RawPage]:
        """Pages from `cursor` on, one lease each. The last one lists nothing."""
        newest = self._posts if request.until is None else min(self._posts, (request.until - START) // timedelta(0, 1))
        oldest = 0 if request.since is None else max(0, (request.since - START) // timedelta(0, 1))
        while True:
            above = newest if cursor is None else int(cursor)
            self._listed(self._posts - above)
            await session.release(lease := await session.acquire(OPERATION))
            page = self._listing(above, max(oldest, above - PER_PAGE), cursor, lease.account_id)
            yield page
            if page.end_reason:
                return
            cursor = page.cursor_out

    def _listing(self, above: int, last: int, cursor: str | None, account_id: str) -> RawPage:
        numbers = range(above - 1, last - 1, -1)
        return RawPage(
            operation=OPERATION,
            route=self.route,
            request={"cursor": cursor},
            body=self._bodies[(above // PER_PAGE) % len(self._bodies)],
            fetched_at=datetime.now(UTC),
            duration_ms=1,
            requests=1,
            entry_keys=[f"x:{number}" for number in numbers],
            cursor_in=cursor,
            cursor_out=str(last) if numbers else None,
            account_id=account_id,
            proxy_id=None,
            end_reason=None if numbers else "exhausted",
            oldest_at=START + timedelta(seconds=last) if numbers else None,
            newest_at=START + timedelta(seconds=above - 1) if numbers else None,
        )
