"""One declaration for each task type of X: REST bodies, command line and documents come from here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xget_sources.ports import TaskTypeSpec
from xget_sources.x.params import Params
from xget_sources.x.queries import Search
from xget_sources.x.tasks.places import Bookmarks, CommunityTweets, OfCommunity, OfList, Trends
from xget_sources.x.tasks.posts import OfPost as Retweeters
from xget_sources.x.tasks.posts import Quotes, TweetDetail, TweetReplies, TweetThread
from xget_sources.x.tasks.searches import HashtagSearch, KeywordSearch, UserSearch
from xget_sources.x.tasks.users import UserAbout, UserInfo, UserList, UserMedia, UserReplies, UserTweets

_NAME = ("UserByScreenName",)
_ALONE = None
"""One page is all there is."""


def _spec(  # noqa: PLR0917 - a table reads better without names
    name: str,
    item_kind: str,
    parameters: type[Params],
    summary: str,
    operations: tuple[str, ...],
    page_size: int | None,
    example: dict[str, Any],
) -> TaskTypeSpec:
    return TaskTypeSpec(
        name=name,
        summary=summary,
        parameters=parameters,
        item_kind=item_kind,
        windowed=issubclass(parameters, Search),
        subjects=parameters.FORMS,
        operations=operations,
        page_size=page_size,
        own_account=issubclass(parameters, Bookmarks),
        seen_again_by="TWEET_DETAIL" if item_kind == "post" else None,
        example=example,
    )


_NASA, _POST, _LIST, _PLACE = {"username": "nasa"}, {"tweet_id": "20"}, {"list_id": "84839422"}, {"community_id": "1"}
_SEARCH, _DETAIL = ("SearchTimeline",), ("TweetDetail",)
_SPECS = (
    _spec("USER_INFO", "user", UserInfo, "A user's profile.", (*_NAME, "UserByRestId"), _ALONE, _NASA),
    _spec(
        "USER_ABOUT", "user", UserAbout, "Since when a user is there, from which country, under which names before.",
        ("UserByRestId", "AboutAccountQuery"), _ALONE, _NASA,
    ),
    _spec(
        "USER_TWEETS", "post", UserTweets, "A user's posts, newest first.",
        (*_NAME, "UserTweets", "UserTweetsAndReplies"), 20, {**_NASA, "since": "2026-01-01", "limit": 500},
    ),
    _spec("USER_REPLIES", "post", UserReplies, "A user's answers.", (*_NAME, "UserTweetsAndReplies"), 20, _NASA),
    _spec("USER_MEDIA", "post", UserMedia, "A user's posts with pictures or videos.", (*_NAME, "UserMedia"), 20, _NASA),
    _spec("USER_FOLLOWERS", "user", UserList, "Who follows a user.", (*_NAME, "Followers"), 50, _NASA),
    _spec("USER_FOLLOWING", "user", UserList, "Whom a user follows.", (*_NAME, "Following"), 50, _NASA),
    _spec(
        "VERIFIED_FOLLOWERS", "user", UserList, "Who with a blue mark follows a user.",
        (*_NAME, "BlueVerifiedFollowers"), 50, _NASA,
    ),
    _spec(
        "SUBSCRIPTIONS", "user", UserList, "To which creators a user has subscribed.",
        (*_NAME, "UserCreatorSubscriptions"), 20, _NASA,
    ),
    _spec(
        "KEYWORD_SEARCH", "post", KeywordSearch, "Posts that X finds for a query, or for words and filters.",
        _SEARCH, 20, {"any_words": ["量子", "quantum dots"], "lang": "en", "min_likes": 10, "since": "2026-01-01"},
    ),
    _spec("HASHTAG_SEARCH", "post", HashtagSearch, "Posts with a hashtag.", _SEARCH, 20, {"hashtag": "AI"}),
    _spec("USER_SEARCH", "user", UserSearch, "People whom X finds for words.", _SEARCH, 20, {"query": "nasa"}),
    _spec("TWEET_DETAIL", "post", TweetDetail, "A post, with what is around it as context.", _DETAIL, _ALONE, _POST),
    _spec("TWEET_REPLIES", "post", TweetReplies, "Direct answers to a post.", _DETAIL, 20, _POST),
    _spec(
        "TWEET_THREAD", "post", TweetThread, "The posts of an author's thread: each answers the one before.",
        _DETAIL, 20, _POST,
    ),
    _spec("QUOTES", "post", Quotes, "Posts that quote a post, newest first.", _SEARCH, 20, _POST),
    _spec("RETWEETERS", "user", Retweeters, "Who reposted a post.", ("Retweeters",), 20, _POST),
    _spec(
        "LIST_TIMELINE", "post", OfList, "Posts of a list's members, newest first.",
        ("ListLatestTweetsTimeline",), 20, _LIST,
    ),
    _spec("LIST_MEMBERS", "user", OfList, "The members of a list.", ("ListMembers",), 20, _LIST),
    _spec("COMMUNITY_INFO", "community", OfCommunity, "A community.", ("CommunityQuery",), _ALONE, _PLACE),
    _spec(
        "COMMUNITY_TWEETS", "post", CommunityTweets, "Posts in a community.",
        ("CommunityTweetsTimeline",), 20, _PLACE,
    ),
    _spec(
        "COMMUNITY_MEMBERS", "user", OfCommunity, "The members of a community.",
        ("membersSliceTimeline_Query",), 20, _PLACE,
    ),
    _spec(
        "COMMUNITY_MODERATORS", "user", OfCommunity, "Who moderates a community.",
        ("moderatorsSliceTimeline_Query",), 20, _PLACE,
    ),
    _spec("TRENDS", "trend", Trends, "What X's Explore page calls trending.", ("GenericTimelineById",), _ALONE, {}),
    _spec("BOOKMARKS", "post", Bookmarks, "What the account itself has bookmarked.", ("Bookmarks",), 20, {}),
)  # fmt: skip
TASK_TYPES = {spec.name: spec for spec in _SPECS}
ALIASES = {"SEARCH": "KEYWORD_SEARCH", "TOPIC": "HASHTAG_SEARCH", "FOLLOWERS": "USER_FOLLOWERS"}


def parameters_of(spec: TaskTypeSpec, given: Mapping[str, Any]) -> Params:
    """The parameters of a task type of X from JSON values. Raises pydantic's ValidationError."""
    found = spec.parameters.model_validate(dict(given))
    if not isinstance(found, Params):
        raise LookupError(f"{spec.name} is no task type of X.")
    return found
