"""Parameters of tasks about lists, communities, trends and the account's own bookmarks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from xget_sources.x.fields import TABS, NativeId, Tab
from xget_sources.x.params import Many, Params, Targeted


class OfList(Targeted):
    """Parameters of LIST_TIMELINE and LIST_MEMBERS."""

    FORMS: ClassVar[Mapping[str, str]] = {"list_id": "list_ids"}

    list_id: NativeId | None = Field(default=None, description="Number of the list.")
    list_ids: Annotated[list[NativeId], Many] | None = Field(default=None, description="Several lists.")


class OfCommunity(Targeted):
    """Parameters of COMMUNITY_INFO, COMMUNITY_MEMBERS and COMMUNITY_MODERATORS."""

    FORMS: ClassVar[Mapping[str, str]] = {"community_id": "community_ids"}

    community_id: NativeId | None = Field(default=None, description="Number of the community.")
    community_ids: Annotated[list[NativeId], Many] | None = Field(default=None, description="Several communities.")


class CommunityTweets(OfCommunity):
    """Parameters of COMMUNITY_TWEETS."""


class Trends(Params):
    """Parameters of TRENDS."""

    category: Tab = Field(
        default="trending",
        description=f"A tab of X's Explore page: {', '.join(TABS)}; or X's own id of such a timeline.",
    )


class Bookmarks(Params):
    """Parameters of BOOKMARKS."""
