"""How each task type asks X and which entries of the answer are its results."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from xget_sources.x import tasks
from xget_sources.x.client import Ask
from xget_sources.x.parser.timeline import Timeline
from xget_sources.x.queries import query_of
from xget_sources.x.selection import Wanted, answering, answers_to, of_kind, posts, quoting, reaches_before, with_media


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A timeline to read: `ask(cursor)` is one page, `wanted` its results, `covered` says that the window is done."""

    ask: Callable[[str | None], Ask]
    wanted: Wanted
    subject: str
    """What is missing when X has no such timeline, for the sentence."""
    covered: Callable[[Timeline], bool] = lambda page: False
    newest_first: bool = False
    """Entries come by time: a page's oldest one says how far down the timeline it is."""
    ranked: bool = False
    """X chooses what it shows: the end of that is not the end of what there is."""


def plan_for(params: tasks.Params, task_type: str, uid: str | None) -> Plan:
    """The plan of a timeline task; `uid` is the user's number where the task is about one."""
    match params:
        case tasks.Search():
            plan = _search(params)
        case tasks.UserSearch():
            plan = _people(params)
        case tasks.UserTweets() | tasks.UserReplies() | tasks.UserMedia():
            plan = _posts_of_user(params, uid or "")
        case tasks.UserList():
            plan = _users(_USER_LISTS[task_type], int(uid or ""), f"user {uid}")
        case tasks.OfPost():
            plan = _of_post(params, task_type)
        case tasks.OfList() if task_type == "LIST_MEMBERS":
            plan = _users("list_members_raw", int(params.list_id or ""), f"list {params.list_id}")
        case tasks.OfList():
            plan = _posts("list_timeline_raw", int(params.list_id or ""), f"list {params.list_id}")
        case tasks.OfCommunity():
            plan = _of_community(params.community_id or "", task_type)
        case tasks.Trends():
            ask = _timeline("trends_raw", params.category)
            plan = Plan(ask=ask, wanted=of_kind("trend"), subject=f"tab {params.category}")
        case tasks.Bookmarks():
            plan = Plan(ask=_timeline("bookmarks_raw"), wanted=of_kind("post"), subject="bookmarks of the account")
        case _:
            raise LookupError(f"The task type {task_type} has no timeline.")
    return plan


_USER_LISTS = {
    "USER_FOLLOWERS": "followers_raw",
    "USER_FOLLOWING": "following_raw",
    "VERIFIED_FOLLOWERS": "verified_followers_raw",
    "SUBSCRIPTIONS": "subscriptions_raw",
}


def _search(params: tasks.Search) -> Plan:
    query, wanted = query_of(params), posts(params)
    if isinstance(params, tasks.Quotes):
        wanted = quoting(params.tweet_id or "", wanted)
    return Plan(
        ask=_timeline("search_raw", query, product=params.product),
        wanted=wanted,
        subject=f"search for {query}",
        newest_first=params.product == "Latest",
        ranked=params.product != "Latest",
    )


def _people(params: tasks.UserSearch) -> Plan:
    ask = _timeline("search_raw", params.query, product="People")
    return Plan(ask=ask, wanted=of_kind("user"), subject=f"search for people with {params.query}", ranked=True)


def _posts_of_user(params: tasks.UserTweets | tasks.UserReplies | tasks.UserMedia, uid: str) -> Plan:
    own, subject = posts(params, author=uid), f"timeline of user {uid}"
    if isinstance(params, tasks.UserMedia):
        method, wanted, subject = "user_media_raw", with_media(own), f"media of user {uid}"
    elif isinstance(params, tasks.UserReplies):
        method, wanted = "user_tweets_and_replies_raw", answering(own)
    else:
        method = "user_tweets_and_replies_raw" if params.include_replies else "user_tweets_raw"
        wanted = own
    since = params.since
    return Plan(
        ask=_timeline(method, int(uid)),
        wanted=wanted,
        subject=subject,
        newest_first=True,
        covered=(lambda page: reaches_before(page, since, uid)) if since else (lambda page: False),
    )


def _of_post(params: tasks.OfPost, task_type: str) -> Plan:
    tweet_id = params.tweet_id or ""
    if task_type == "RETWEETERS":
        return _users("retweeters_raw", int(tweet_id), f"post {tweet_id}")
    subject = f"conversation of post {tweet_id}"
    method = "tweet_thread_raw" if isinstance(params, tasks.TweetThread) else "tweet_replies_raw"
    return Plan(ask=_timeline(method, int(tweet_id)), wanted=answers_to(tweet_id), subject=subject)


def _of_community(community_id: str, task_type: str) -> Plan:
    subject = f"community {community_id}"
    if task_type == "COMMUNITY_TWEETS":
        return _posts("community_tweets_raw", int(community_id), subject)
    members = task_type == "COMMUNITY_MEMBERS"
    return _users("community_members_raw" if members else "community_moderators_raw", int(community_id), subject)


def _users(method: str, subject: int, named: str) -> Plan:
    return Plan(ask=_timeline(method, subject), wanted=of_kind("user"), subject=named)


def _posts(method: str, subject: int, named: str) -> Plan:
    return Plan(ask=_timeline(method, subject), wanted=of_kind("post"), subject=named)


def _timeline(method: str, *subject: Any, **variables: Any) -> Callable[[str | None], Ask]:
    """One page of a twscrape method that takes (subject, limit, kv)."""

    def at(cursor: str | None) -> Ask:
        kv = {**variables, **({"cursor": cursor} if cursor else {})}
        return lambda api: getattr(api, method)(*subject, limit=1, kv=kv)

    return at
