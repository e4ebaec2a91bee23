"""A platform that is a list of keys."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
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
    Target,
    TaskTypeSpec,
)
from xget_sources.x.preview import preview_of
from xget_sources.x.targets import targets_of
from xget_sources.x.tasks import ALIASES, TASK_TYPES, parameters_of

OPERATION = "SearchTimeline"


class ListSource:
    """Implements `xget_sources.ports.Source` with X's task types over `keys`, `page_size` of them a page.

    `before` runs before each page with the index of its first key: let it wait, or raise what the platform would.
    `requested` has the index of every page that was asked for, `requests` what was wished.
    """

    platform = "x"
    route = "x"
    parser_version = "1"
    needs_account = True
    task_types: Mapping[str, TaskTypeSpec] = TASK_TYPES
    aliases: Mapping[str, str] = ALIASES

    def __init__(
        self,
        keys: Sequence[str],
        *,
        page_size: int = 10,
        before: Callable[[int], Awaitable[None]] | None = None,
        end_reason: str = "exhausted",
    ) -> None:
        self.keys = list(keys)
        self.page_size = page_size
        self.before = before
        self.end_reason = end_reason
        self.requested: list[int] = []
        self.requests: list[CollectRequest] = []
        self.closed = False

    def targets(self, task_type: str, parameters: Mapping[str, Any]) -> Iterator[Target]:
        """X's targets."""
        return targets_of(parameters_of(TASK_TYPES[task_type], parameters))

    def preview(self, task_type: str, parameters: Mapping[str, Any]) -> Preview:
        """X's preview."""
        spec = TASK_TYPES[task_type]
        return preview_of(spec, parameters_of(spec, parameters))

    async def collect(self, request: CollectRequest, session: Session, cursor: str | None) -> AsyncGenerator[RawPage]:
        """Pages from `cursor` on, one lease each."""
        self.requests.append(request)
        index = int(cursor or 0)
        while True:
            lease = await session.acquire(OPERATION)
            try:
                self.requested.append(index)
                if self.before is not None:
                    await self.before(index)
            finally:
                await session.release(lease)
            page = self._page(index, cursor, lease.account_id, lease.proxy_id)
            yield page
            if page.end_reason:
                return
            index += self.page_size
            cursor = page.cursor_out

    def _page(self, index: int, cursor: str | None, account_id: str, proxy_id: str | None) -> RawPage:
        keys = self.keys[index : index + self.page_size]
        follows = index + self.page_size
        last = follows >= len(self.keys)
        return RawPage(
            operation=OPERATION,
            route=self.route,
            request={"cursor": cursor},
            body=msgspec.json.encode({"keys": keys}),
            fetched_at=datetime.now(UTC),
            duration_ms=1,
            requests=1,
            entry_keys=keys,
            cursor_in=cursor,
            cursor_out=None if last else str(follows),
            account_id=account_id,
            proxy_id=proxy_id,
            end_reason=self.end_reason if last else None,
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
        """Remember that it was closed."""
        self.closed = True
