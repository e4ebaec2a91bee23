"""Parameters of tasks about posts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from xget_sources.x.fields import NativeId
from xget_sources.x.params import Many, Targeted
from xget_sources.x.queries import Search


class OfPost(Targeted):
    """A task about posts."""

    FORMS: ClassVar[Mapping[str, str]] = {"tweet_id": "tweet_ids"}

    tweet_id: NativeId | None = Field(default=None, description="Number or address of the post.")
    tweet_ids: Annotated[list[NativeId], Many] | None = Field(default=None, description="Several posts.")


class TweetDetail(OfPost):
    """Parameters of TWEET_DETAIL."""


class TweetReplies(OfPost):
    """Parameters of TWEET_REPLIES."""


class TweetThread(OfPost):
    """Parameters of TWEET_THREAD."""


class Quotes(OfPost, Search):
    """Parameters of QUOTES: X finds them by search, so a search's filters narrow them."""
