"""How each task type asks the API, and which of the results answer it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

import msgspec

from xget_sources.ports import NotOffered
from xget_sources.x import tasks
from xget_sources.x.parser.values import Json, as_dict, as_list, as_text
from xget_sources.x.queries import query_of
from xget_sources.x_api.client import Call
from xget_sources.x_api.queries import ApiQuery, stamp, stamp_after, translated

START: Final = datetime.fromisoformat("2006-03-21T00:00:00+00:00")
"""The first post on X: without a start the search of the archive goes back 30 days only."""
RECENT: Final = "X's API searches the last 7 days only with these accounts (no full-archive search in their plan)."
_LISTED: Final = "X's API lists the newest {most} posts of a user only."
SERVED: Final = (
    "USER_INFO", "USER_TWEETS", "USER_FOLLOWERS", "USER_FOLLOWING", "KEYWORD_SEARCH", "HASHTAG_SEARCH", "QUOTES",
    "TWEET_DETAIL", "RETWEETERS", "LIST_TIMELINE", "LIST_MEMBERS",
)  # fmt: skip


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A listing to read: `call(page)` is one page of it."""

    call: Callable[[Page], Call]
    subject: str
    keyed: str
    """What keys begin with."""
    newest_first: bool = False
    ranked: bool = False
    since: datetime | None = None
    until: datetime | None = None
    """The window that the query itself names."""
    windowed: bool = False
    """Narrowed in time by `start_time` and `end_time`."""
    wanted: Callable[[Json], bool] = lambda record: True
    most: int | None = None
    """Results after which the API lists no more."""

    def beyond(self) -> str:
        """The sentence for what the listing does not reach."""
        return _LISTED.format(most=self.most) if self.most else RECENT


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Which page of a listing is asked for."""

    token: str | None
    size: int
    """Results that are still wanted, at most 100."""
    archive: bool
    """The accounts may search all posts."""
    since: datetime | None
    until: datetime | None


def plan_for(params: tasks.Params, task_type: str, uid: str | None) -> Plan:
    """The plan of a task type; `uid` is the user's number. Raises NotOffered."""
    match params:
        case tasks.Search():
            plan = _search(params)
        case tasks.UserTweets():
            plan = _tweets(params, uid or "")
        case tasks.UserList() if task_type in ("USER_FOLLOWERS", "USER_FOLLOWING"):
            kind = task_type.removeprefix("USER_")
            plan = _users(f"usersId{kind.title()}", f"users/{uid}/{kind.lower()}", f"user {uid}", 1000)
        case tasks.OfList() if task_type == "LIST_MEMBERS":
            plan = _users("listGetMembers", f"lists/{params.list_id}/members", f"list {params.list_id}", 100)
        case tasks.OfList():
            plan = _list(params.list_id or "")
        case tasks.OfPost() if task_type == "RETWEETERS":
            path = f"tweets/{params.tweet_id}/retweeted_by"
            plan = _users("tweetsIdRetweetingUsers", path, f"post {params.tweet_id}", 100)
        case _:
            raise not_offered(task_type)
    return plan


def not_offered(task_type: str) -> NotOffered:
    """The sentence for a task type that the API does not have."""
    return NotOffered(f"X's API has nothing for {task_type}: it serves {', '.join(SERVED)}. Ask by x_session.")


def asked_of(params: tasks.Search) -> ApiQuery:
    """The query of a search. Raises NotOffered."""
    found = translated(query_of(params))
    if params.product == "Media":
        found = msgspec.structs.replace(found, text=f"({found.text}) has:media")
    return found


def _search(params: tasks.Search) -> Plan:
    query = asked_of(params)

    def call(page: Page) -> Call:
        since, until = page.since or (START if page.archive else None), page.until
        asked = {
            "query": query.text,
            "max_results": str(max(10, page.size)),
            "sort_order": "recency" if params.product != "Top" else "relevancy",
            **query.bounds,
            **({"start_time": stamp(since)} if since else {}),
            **({"end_time": stamp_after(until)} if until else {}),
            **({"next_token": page.token} if page.token else {}),
        }
        return Call(
            operation="tweetsFullarchiveSearch" if page.archive else "tweetsRecentSearch",
            path=f"tweets/search/{'all' if page.archive else 'recent'}",
            kind="posts",
            units=max(10, page.size),
            asked=asked,
            archive=page.archive,
        )

    newest_first = params.product != "Top"
    return Plan(
        call=call, subject=f"search for {query.text}", keyed="x:", newest_first=newest_first, ranked=not newest_first,
        windowed=True, since=query.since, until=query.until,
    )  # fmt: skip


def _tweets(params: tasks.UserTweets, uid: str) -> Plan:
    left_out = [
        *(["replies"] if not params.include_replies else []),
        *(["retweets"] if params.no_retweets else []),
    ]

    def call(page: Page) -> Call:
        asked = {
            "max_results": str(max(5, page.size)),
            **({"exclude": ",".join(left_out)} if left_out else {}),
            **({"start_time": stamp(page.since)} if page.since else {}),
            **({"end_time": stamp_after(page.until)} if page.until else {}),
            **({"pagination_token": page.token} if page.token else {}),
        }
        path = f"users/{uid}/tweets"
        return Call(operation="usersIdTweets", path=path, kind="posts", units=max(5, page.size), asked=asked)

    most = 800 if "replies" in left_out else 3200
    return Plan(call=call, subject=f"timeline of user {uid}", keyed="x:", newest_first=True, windowed=True, most=most)


def _list(list_id: str) -> Plan:
    return Plan(
        call=lambda page: _paged("listsIdTweets", f"lists/{list_id}/tweets", "posts", page, 100),
        subject=f"list {list_id}",
        keyed="x:",
        wanted=lambda record: True,
    )


def _users(operation: str, path: str, subject: str, most: int) -> Plan:
    return Plan(
        call=lambda page: _paged(operation, path, "users", page, most), subject=subject, keyed="x:user:"
    )  # fmt: skip


def _paged(operation: str, path: str, kind: Any, page: Page, most: int) -> Call:
    size = min(most, max(page.size, 1))
    token = {"pagination_token": page.token} if page.token else {}
    return Call(operation=operation, path=path, kind=kind, units=size, asked={"max_results": str(size), **token})


def single(operation: str, path: str, kind: Any) -> Call:
    """One user or post."""
    return Call(operation=operation, path=path, kind=kind, units=1)


def troubles(payload: Json) -> list[Json]:
    """Errors beside data."""
    return [as_dict(error) for error in as_list(payload.get("errors"))]


def words_of(error: Json) -> str:
    """What an error says."""
    return as_text(error.get("detail")) or as_text(error.get("title")) or "nothing"
