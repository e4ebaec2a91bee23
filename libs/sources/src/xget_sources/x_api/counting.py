"""How many posts a search has, by the API's own counts: they cost nothing but a request of their limit."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec import structs

from xget_sources.ports import CollectRequest, Counted, Session
from xget_sources.x import tasks
from xget_sources.x.parser.values import as_count, as_text, dig
from xget_sources.x_api.client import ApiClient, Call
from xget_sources.x_api.collecting import FULL_PAGE, ask_page, window_of
from xget_sources.x_api.plans import Page, Plan, asked_of
from xget_sources.x_api.positions import Position
from xget_sources.x_api.queries import ApiQuery, stamp, stamp_after

MOST_PAGES: Final = 12
"""Pages of counts that are asked for a search, the newest first: a page has 31 days."""
MOST_TARGETS: Final = 10


async def count_posts(client: ApiClient, session: Session, searches: Iterable[tasks.Search]) -> Counted:
    """The posts of the first searches together. Raises NoAccount, NotOffered, SourceStopped."""
    total = Counted(posts=0, whole=True, requests=0, page_size=FULL_PAGE)
    for n, search in enumerate(searches):
        if n == MOST_TARGETS:
            return structs.replace(total, whole=False)
        found = await _one(client, session, search)
        total = structs.replace(
            total,
            posts=total.posts + found.posts,
            whole=total.whole and found.whole,
            requests=total.requests + found.requests,
        )
    return total


async def _one(client: ApiClient, session: Session, search: tasks.Search) -> Counted:
    query = asked_of(search)
    plan = Plan(
        call=lambda page: _call(query, page), subject=f"the counts of {query.text}", keyed="", windowed=True,
        since=query.since, until=query.until,
    )  # fmt: skip
    timed = {name: getattr(search, name, None) for name in ("since", "until")}
    since, until = window_of(plan, CollectRequest(task_type="", parameters=timed))
    position, posts, requests = Position(), 0, 0
    for _ in range(MOST_PAGES):
        answer, position = await ask_page(client, session, plan, (since, until, None), position)
        posts += as_count(dig(answer.payload, "meta", "total_tweet_count")) or 0
        requests += answer.requests
        token = as_text(dig(answer.payload, "meta", "next_token"))
        if token is None:
            whole = since is not None and position.reach is None if not answer.call.archive else True
            return Counted(posts=posts, whole=whole, requests=requests, page_size=FULL_PAGE)
        position = structs.replace(position, token=token)
    return Counted(posts=posts, whole=False, requests=requests, page_size=FULL_PAGE)


def _call(query: ApiQuery, page: Page) -> Call:
    asked = {
        "query": query.text,
        "granularity": "day",
        **query.bounds,
        **({"start_time": stamp(page.since)} if page.since else {}),
        **({"end_time": stamp_after(page.until)} if page.until else {}),
        **({"next_token": page.token} if page.token else {}),
    }
    return Call(
        operation="tweetCountsFullArchiveSearch" if page.archive else "tweetCountsRecentSearch",
        path=f"tweets/counts/{'all' if page.archive else 'recent'}",
        kind="posts",
        units=0,
        asked=asked,
        archive=page.archive,
        bare=True,
    )
