"""How many posts a search will find by a route that can count them, and what that costs."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import ceil
from typing import Any, Final

from xget_kernel.caller import Caller
from xget_kernel.errors import XGetError
from xget_kernel.ids import new_id
from xget_scraper.ports import Pools, Prices, Sessions, Tenant
from xget_scraper.schemas.preview import PreviewWrite
from xget_sources.ports import Counted, Counting, NoAccount, Source, SourceStopped
from xget_telemetry.logs import get_logger

LOG = get_logger(__name__)
PATIENCE_SECONDS: Final = 8.0
PAGE_SECONDS: Final = 1.0
MICROS: Final = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What a route that costs money will read. None: it could not be counted, and the sentence says why."""

    route: str
    posts: int | None = None
    at_least: bool = False
    pages: int | None = None
    cost_usd: Decimal | None = None
    seconds: int | None = None
    sentence: str


class Expecting:
    """Asks a route's counts, with an account of the caller's, and the account service what results cost."""

    def __init__(self, sessions: Sessions, pools: Pools) -> None:
        self._sessions = sessions
        self._pools = pools

    async def of(
        self, source: Source, body: PreviewWrite, task_type: str, parameters: Mapping[str, Any], caller: Caller
    ) -> Expected | None:
        """What a route will read; None for one that does not count, or for what is no search."""
        if not isinstance(source, Counting) or not task_type.endswith("_SEARCH"):
            return None
        tenant = Tenant(
            execution_id=f"preview-{new_id()}",
            platform=body.platform,
            pool_owners=[caller.user_id],
            account_id=body.account_id,
            sticky_account_id=None,
            proxy_id=None,
            requester_id=caller.user_id,
        )
        try:
            async with asyncio.timeout(PATIENCE_SECONDS), self._sessions.open(tenant) as session:
                counted = await source.count(task_type, parameters, session)
                operation = source.task_types[task_type].operations[0]
                left = await self._pools.left(caller.user_id, source.route, operation, None)
        except TimeoutError:
            why = "its counts did not answer in time."
        except (NoAccount, SourceStopped, XGetError) as error:
            why = error.detail
        else:
            return _told(source.route, counted, parameters.get("limit"), left.prices)
        LOG.info("posts_not_counted", route=source.route, reason=why)
        return Expected(route=source.route, sentence=f"By {source.route} the posts could not be counted: {why}")


def _told(route: str, counted: Counted, limit: int | None, prices: Prices | None) -> Expected:
    posts = counted.posts if limit is None else min(limit, counted.posts)
    at_least = not counted.whole and posts != limit
    pages = max(1, ceil(posts / counted.page_size))
    seconds = round(pages * PAGE_SECONDS)
    cost = None if prices is None else Decimal(posts * prices.post_micros + pages * prices.request_micros) / MICROS
    about = "at least" if at_least else "about"
    price = "a price that the account service does not tell" if cost is None else f"{about} {cost:,.2f} US dollars"
    return Expected(
        route=route,
        posts=posts,
        at_least=at_least,
        pages=pages,
        cost_usd=cost,
        seconds=seconds,
        sentence=f"By {route} alone {about} {posts:,} posts on {pages:,} pages for {price}, "
        f"in {about} {seconds:,} seconds when its limits have room.",
    )
