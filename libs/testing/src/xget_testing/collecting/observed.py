"""A platform whose posts grow older: searched as `ListSource`, and looked at one by one."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from datetime import datetime, timedelta

import msgspec
from msgspec import structs

from xget_kernel.clock import SystemClock
from xget_sources.ports import CollectRequest, RawPage, Session, SourceStopped
from xget_testing.collecting.source import ListSource


class LeapClock(SystemClock):
    """The machine's clock, as much ahead as a test has leapt."""

    ahead = timedelta()

    def now(self) -> datetime:
        return super().now() + self.ahead

    def leap(self, seconds: float) -> None:
        """Let so many seconds have passed."""
        self.ahead += timedelta(seconds=seconds)


class ObservedSource(ListSource):
    """`born` says when posts were written, `gone` has typed ends by key, `newer` newer versions by key.

    `looks` has the keys that were looked at again, in order; `failing` has those whose look breaks down.
    """

    def __init__(self, born: Mapping[str, datetime], *, page_size: int = 10) -> None:
        super().__init__(list(born), page_size=page_size)
        self.born = born
        self.gone: dict[str, str] = {}
        self.newer: dict[str, str] = {}
        self.failing: set[str] = set()
        self.looks: list[str] = []

    async def collect(self, request: CollectRequest, session: Session, cursor: str | None) -> AsyncGenerator[RawPage]:
        """The list, or one post of it."""
        if request.task_type != "TWEET_DETAIL":
            async for page in super().collect(request, session, cursor):
                yield self._dated(page)
            return
        assert request.again
        key = f"x:{request.parameters['tweet_id']}"
        lease = await session.acquire("TweetDetail")
        await session.release(lease)
        self.looks.append(key)
        if self.before is not None:
            await self.before(len(self.looks))
        if key in self.failing:
            raise SourceStopped("source_error", "X answers nonsense.")
        shown = self.newer.get(key, key)
        page = self._page(0, cursor, lease.account_id, None)
        yield structs.replace(
            page, operation="TweetDetail", body=msgspec.json.encode({"keys": [shown]}), entry_keys=[shown],
            cursor_out=None, end_reason=None if key in self.gone else "exhausted",
        )  # fmt: skip
        if key in self.gone:
            raise SourceStopped(self.gone[key], f"X does not show {key}.")

    def _dated(self, page: RawPage) -> RawPage:
        return structs.replace(page, written_at={key: self.born[key] for key in page.entry_keys if key in self.born})
