"""The task types of X and their parameters: REST bodies, the command line and the documentation come from here."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, model_validator

from xget_sources.ports import TaskTypeSpec
from xget_sources.x.fields import MAX_LIMIT, MAX_TEXT, Hashtag, Lang, Moment, NativeId, Text, Username


class Params(BaseModel):
    """Parameters of every task type; unknown names are refused."""

    model_config = ConfigDict(extra="forbid")

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


class InWindow(Params):
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


class UserMedia(OfUser, InWindow):
    """Parameters of USER_MEDIA."""


class UserList(OfUser):
    """Parameters of USER_FOLLOWERS and USER_FOLLOWING."""


class Search(InWindow):
    """What all searches take."""

    lang: Lang | None = Field(default=None, description="Language that X sees in the post: en, zh, ja…")
    product: Literal["Top", "Latest"] = Field(default="Latest", description="X's ranking or newest first.")

    def within(self, since: datetime | None, until: datetime | None) -> Self:
        """The same search in the part of its time that lies between the two."""
        earliest = max((moment for moment in (self.since, since) if moment), default=None)
        latest = min((moment for moment in (self.until, until) if moment), default=None)
        return self.model_copy(update={"since": earliest, "until": latest})


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


class OfPost(Params):
    """Parameters of TWEET_REPLIES and RETWEETERS."""

    tweet_id: NativeId = Field(description="Number or address of the post.")


class OfList(Params):
    """Parameters of LIST_TIMELINE and LIST_MEMBERS."""

    list_id: NativeId = Field(description="Number of the list.")


class CommunityTweets(Params):
    """Parameters of COMMUNITY_TWEETS."""

    community_id: NativeId = Field(description="Number of the community.")


class Trends(Params):
    """Parameters of TRENDS."""

    category: Literal["trending", "news", "sport", "entertainment"] = Field(
        default="trending", description="A tab of X's Explore page."
    )


def _spec(name: str, item_kind: str, parameters: type[BaseModel], summary: str) -> TaskTypeSpec:
    windowed = issubclass(parameters, Search)
    return TaskTypeSpec(name=name, summary=summary, parameters=parameters, item_kind=item_kind, windowed=windowed)


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
        _spec("TWEET_REPLIES", "post", OfPost, "Direct answers to a post."),
        _spec("RETWEETERS", "user", OfPost, "Who reposted a post."),
        _spec("USER_MEDIA", "post", UserMedia, "A user's posts with photos or videos."),
        _spec("LIST_TIMELINE", "post", OfList, "Posts of a list's members, newest first."),
        _spec("LIST_MEMBERS", "user", OfList, "The members of a list."),
        _spec("COMMUNITY_TWEETS", "post", CommunityTweets, "Posts in a community."),
        _spec("TRENDS", "trend", Trends, "What X's Explore page calls trending."),
    )
}
ALIASES = {"SEARCH": "KEYWORD_SEARCH", "TOPIC": "HASHTAG_SEARCH", "FOLLOWERS": "USER_FOLLOWERS"}
