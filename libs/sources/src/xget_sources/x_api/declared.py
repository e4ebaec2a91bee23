"""The task types that X's API serves: the session route's declarations with the API's operations and pages."""

from __future__ import annotations

from typing import Final

from msgspec import structs

from xget_sources.x.tasks.declared import TASK_TYPES as ALL

_NAME: Final = "findUserByUsername"
_SEARCH: Final = (("tweetsFullarchiveSearch", "tweetsRecentSearch"), 100)
_OPERATIONS: Final = {
    "USER_INFO": ((_NAME, "findUserById"), None),
    "USER_TWEETS": ((_NAME, "usersIdTweets"), 100),
    "USER_FOLLOWERS": ((_NAME, "usersIdFollowers"), 100),
    "USER_FOLLOWING": ((_NAME, "usersIdFollowing"), 100),
    "KEYWORD_SEARCH": _SEARCH,
    "HASHTAG_SEARCH": _SEARCH,
    "QUOTES": _SEARCH,
    "TWEET_DETAIL": (("findTweetById",), None),
    "RETWEETERS": (("tweetsIdRetweetingUsers",), 100),
    "LIST_TIMELINE": (("listsIdTweets",), 100),
    "LIST_MEMBERS": (("listGetMembers",), 100),
}
TASK_TYPES: Final = {
    name: structs.replace(ALL[name], operations=operations, page_size=size)
    for name, (operations, size) in _OPERATIONS.items()
}
