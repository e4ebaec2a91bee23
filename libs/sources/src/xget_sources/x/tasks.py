"""The task types of X and their parameters: REST bodies, the command line and the documentation come from here."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    model_validator,
)

from xget_sources.ports import TaskTypeSpec

MAX_TEXT = 500
MAX_LIMIT = 1_000_000

_PROFILE_URL = re.compile(
    r"(?:https?://)?(?:www\.|mobile\.)?(?:x|twitter)\.com/@?([^/?#]+)/?(?:[?#].*)?", re.IGNORECASE
)
_POST_URL = re.compile(
    r"(?:https?://)?(?:www\.|mobile\.)?(?:x|twitter)\.com/[^/]+/status(?:es)?/(\d+).*", re.IGNORECASE
)
_USERNAME = re.compile(r"[A-Za-z0-9_]{1,20}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def _plain_text(text: str) -> str:
    text = text.strip()
    if not text:
        raise ValueError("must not be empty")
    if _CONTROL.search(text):
        raise ValueError("must not contain control characters")
    return text


def _username(text: str) -> str:
    found = _PROFILE_URL.fullmatch(text.strip())
    name = (found.group(1) if found else text.strip()).removeprefix("@")
    if not _USERNAME.fullmatch(name):
        raise ValueError("must be a name of 1 to 20 letters, digits and _ (an @ or an address of x.com is fine)")
    return name


def _native_id(value: Any) -> Any:
    """Ids may come as numbers; addresses of posts are taken for the post's id."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, str) and (found := _POST_URL.fullmatch(value.strip())):
        return found.group(1)
    return value.strip() if isinstance(value, str) else value


def _hashtag(text: str) -> str:
    tag = _plain_text(text).lstrip("#\uff03")
    if not tag or not re.fullmatch(r"[\w\u200c\u200d]+", tag):
        raise ValueError("must be one word of letters, digits and _, with or without #")
    return tag


def _moment(value: Any) -> Any:
    """A day counts as its first second, UTC; a time without zone as UTC."""
    if isinstance(value, str):
        try:
            day = date.fromisoformat(value) if len(value) <= 10 else None
            moment = datetime.combine(day, time()) if day else datetime.fromisoformat(value)
        except ValueError as error:
            raise ValueError("must be a day (2026-01-31) or a time (2026-01-31T08:00:00Z)") from error
    elif isinstance(value, datetime):
        moment = value
    elif value is None:
        return None
    else:
        raise ValueError("must be a day (2026-01-31) or a time (2026-01-31T08:00:00Z)")
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError as error:
        raise ValueError("must lie between the years 2 and 9998") from error


Text = Annotated[StrictStr, Field(max_length=MAX_TEXT), AfterValidator(_plain_text)]
Username = Annotated[StrictStr, Field(max_length=100), AfterValidator(_username)]
NativeId = Annotated[str, BeforeValidator(_native_id), Field(pattern=r"^[0-9]{1,20}$", strict=True)]
Hashtag = Annotated[StrictStr, Field(max_length=100), AfterValidator(_hashtag)]
Moment = Annotated[datetime | None, BeforeValidator(_moment)]
Lang = Annotated[StrictStr, Field(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z]{2,4})?$")]


class Params(BaseModel):
    """Parameters of a task type; unknown names are refused."""

    model_config = ConfigDict(extra="forbid")


class Limited(Params):
    """A task that can be long."""

    limit: Annotated[StrictInt, Field(ge=1, le=MAX_LIMIT)] | None = Field(
        default=None, description="How many results at most; nothing means all there are."
    )


class OfUser(Params):
    """A task about one user."""

    username: Username | None = Field(default=None, description="Name, with or without @, or address of the profile.")
    user_id: NativeId | None = Field(default=None, description="X's number of the user; saves a look-up.")

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.username is None) == (self.user_id is None):
            raise ValueError("give either username or user_id")
        return self


class InWindow(Limited):
    """A task that can be narrowed in time and kind."""

    since: Moment = Field(default=None, description="Earliest time, included; a day means its first second, UTC.")
    until: Moment = Field(default=None, description="Latest time, excluded; a day means its first second, UTC.")
    include_replies: StrictBool | None = Field(default=None, description="False leaves out answers to posts.")
    include_retweets: StrictBool | None = Field(default=None, description="False leaves out reposts.")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.since and self.until and self.since >= self.until:
            raise ValueError("since must be before until")
        return self


class UserInfo(OfUser):
    """Parameters of USER_INFO."""


class UserTweets(OfUser, InWindow):
    """Parameters of USER_TWEETS."""

    include_replies: StrictBool | None = Field(
        default=None,
        description="True: the Replies tab; False: no answers at all; nothing: the Posts tab as X shows it.",
    )


class UserList(OfUser, Limited):
    """Parameters of USER_FOLLOWERS and USER_FOLLOWING."""


class Search(InWindow):
    """What all searches take."""

    lang: Lang | None = Field(default=None, description="Language that X sees in the post: en, zh, ja…")
    product: Literal["Top", "Latest"] = Field(default="Latest", description="X's ranking or newest first.")


class KeywordSearch(Search):
    """Parameters of KEYWORD_SEARCH."""

    query: Text | None = Field(default=None, description="X's search syntax: words, OR, quotes, from:, lang:…")
    keyword: Text | None = Field(default=None, description="The same as query.")
    keywords: Annotated[list[Text], Field(min_length=1, max_length=20)] | None = Field(
        default=None, description="Posts with any of these words or phrases."
    )

    @model_validator(mode="after")
    def _one_of_three(self) -> Self:
        if sum(value is not None for value in (self.query, self.keyword, self.keywords)) != 1:
            raise ValueError("give one of query, keyword or keywords")
        if self.keywords and sum(map(len, self.keywords)) > MAX_TEXT:
            raise ValueError(f"keywords must have at most {MAX_TEXT} characters together")
        return self


class HashtagSearch(Search):
    """Parameters of HASHTAG_SEARCH."""

    hashtag: Hashtag = Field(description="The tag, with or without #.")


class TweetDetail(Params):
    """Parameters of TWEET_DETAIL."""

    tweet_id: NativeId = Field(description="Number or address of the post.")


class Retweeters(Limited):
    """Parameters of RETWEETERS."""

    tweet_id: NativeId = Field(description="Number or address of the post.")


class ListMembers(Limited):
    """Parameters of LIST_MEMBERS."""

    list_id: NativeId = Field(description="Number of the list.")


class Trends(Limited):
    """Parameters of TRENDS."""

    category: Literal["trending", "news", "sport", "entertainment"] = Field(
        default="trending", description="A tab of X's Explore page."
    )


def _spec(name: str, item_kind: str, parameters: type[BaseModel], summary: str) -> TaskTypeSpec:
    return TaskTypeSpec(name=name, summary=summary, parameters=parameters, item_kind=item_kind)


TASK_TYPES = {
    spec.name: spec
    for spec in (
        _spec("USER_INFO", "user", UserInfo, "One user's profile."),
        _spec("USER_TWEETS", "post", UserTweets, "A user's posts, newest first."),
        _spec("KEYWORD_SEARCH", "post", KeywordSearch, "Posts that X finds for a query."),
        _spec("HASHTAG_SEARCH", "post", HashtagSearch, "Posts with a hashtag."),
        _spec("USER_FOLLOWERS", "user", UserList, "Who follows a user."),
        _spec("USER_FOLLOWING", "user", UserList, "Whom a user follows."),
        _spec("TWEET_DETAIL", "post", TweetDetail, "One post, with the conversation around it as context."),
        _spec("RETWEETERS", "user", Retweeters, "Who reposted a post."),
        _spec("LIST_MEMBERS", "user", ListMembers, "The members of a list."),
        _spec("TRENDS", "trend", Trends, "What X's Explore page calls trending."),
    )
}
ALIASES = {"SEARCH": "KEYWORD_SEARCH", "TOPIC": "HASHTAG_SEARCH", "FOLLOWERS": "USER_FOLLOWERS"}
