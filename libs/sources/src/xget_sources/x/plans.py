"""How each task type asks X and which entries of the answer are its results."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from pydantic import BaseModel

from xget_sources.x import tasks
from xget_sources.x.client import Ask
from xget_sources.x.parser.timeline import Timeline
from xget_sources.x.queries import hashtag_query, keyword_query
from xget_sources.x.selection import Wanted, answers_to, of_kind, posts, reaches_before, with_media


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A timeline to read: `ask(cursor)` is one page, `wanted` its results, `covered` says that the window is done."""

    ask: Callable[[str | None], Ask]
    wanted: Wanted
    subject: str
    """What is missing when X has no such timeline, for the sentence."""
    covered: Callable[[Timeline], bool] = lambda page: False
    newest_first: bool = False
    """Entries come by time: a page's oldest one says how far down the timeline it is."""


def plan_for(params: BaseModel, task_type: str, uid: str | None) -> Plan:
    """The plan of a timeline task; `uid` is the user's number where the task is about one."""
    match params:
        case tasks.KeywordSearch():
            plan = _search(keyword_query(params), params)
        case tasks.HashtagSearch():
            plan = _search(hashtag_query(params), params)
        case tasks.UserTweets():
            plan = _user_tweets(params, uid or "")
        case tasks.UserList():
            plan = _user_list(task_type, uid or "")
        case tasks.UserMedia():
            ask = _timeline("user_media_raw", int(uid or ""))
            plan = Plan(
                ask=ask, wanted=with_media(posts(params, author=uid)), subject=f"media of user {uid}", newest_first=True
            )
        case tasks.OfPost():
            plan = _of_post(params.tweet_id, task_type)
        case tasks.OfList():
            plan = _of_list(params.list_id, task_type)
        case tasks.CommunityTweets():
            ask = _timeline("community_tweets_raw", int(params.community_id))
            plan = Plan(ask=ask, wanted=of_kind("post"), subject=f"community {params.community_id}")
        case tasks.Trends():
            ask = _timeline("trends_raw", params.category)
            plan = Plan(ask=ask, wanted=of_kind("trend"), subject=f"tab {params.category}")
        case _:
            raise LookupError(f"The task type {task_type} has no timeline.")
    return plan


def _search(query: str, params: tasks.Search) -> Plan:
    return Plan(
        ask=_timeline("search_raw", query, product=params.product),
        wanted=posts(params),
        subject=f"search for {query}",
        newest_first=params.product == "Latest",
    )


def _user_tweets(params: tasks.UserTweets, uid: str) -> Plan:
    method = "user_tweets_and_replies_raw" if params.include_replies else "user_tweets_raw"
    since = params.since
    return Plan(
        ask=_timeline(method, int(uid)),
        wanted=posts(params, author=uid),
        subject=f"timeline of user {uid}",
        newest_first=True,
        covered=(lambda page: reaches_before(page, since, uid)) if since else (lambda page: False),
    )


def _of_post(tweet_id: str, task_type: str) -> Plan:
    if task_type == "RETWEETERS":
        return _users("retweeters_raw", int(tweet_id), f"post {tweet_id}")
    ask = _timeline("tweet_replies_raw", int(tweet_id))
    return Plan(ask=ask, wanted=answers_to(tweet_id), subject=f"conversation of post {tweet_id}")


def _of_list(list_id: str, task_type: str) -> Plan:
    if task_type == "LIST_MEMBERS":
        return _users("list_members_raw", int(list_id), f"list {list_id}")
    ask = _timeline("list_timeline_raw", int(list_id))
    return Plan(ask=ask, wanted=of_kind("post"), subject=f"list {list_id}")


def _user_list(task_type: str, uid: str) -> Plan:
    method = "following_raw" if task_type == "USER_FOLLOWING" else "followers_raw"
    return _users(method, int(uid), f"user {uid}")


def _users(method: str, subject: int, named: str) -> Plan:
    return Plan(ask=_timeline(method, subject), wanted=of_kind("user"), subject=named)


def _timeline(method: str, subject: Any, **variables: Any) -> Callable[[str | None], Ask]:
    """One page of a twscrape method that takes (subject, limit, kv)."""

    def at(cursor: str | None) -> Ask:
        kv = {**variables, **({"cursor": cursor} if cursor else {})}
        return lambda api: getattr(api, method)(subject, limit=1, kv=kv)

    return at
