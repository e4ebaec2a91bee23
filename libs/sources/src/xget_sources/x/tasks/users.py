"""Parameters of tasks about users."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field, StrictBool

from xget_sources.x.fields import NativeId, Username
from xget_sources.x.params import InWindow, Many, Targeted, Timed


class OfUser(Targeted):
    """A task about users."""

    FORMS: ClassVar[Mapping[str, str]] = {"username": "usernames", "user_id": "user_ids"}

    username: Username | None = Field(default=None, description="Name, with or without @, or address of the profile.")
    user_id: NativeId | None = Field(default=None, description="X's number of the user; saves a look-up.")
    usernames: Annotated[list[Username], Many] | None = Field(default=None, description="Several names.")
    user_ids: Annotated[list[NativeId], Many] | None = Field(default=None, description="Several numbers.")


class UserInfo(OfUser):
    """Parameters of USER_INFO."""


class UserAbout(OfUser):
    """Parameters of USER_ABOUT."""


class UserTweets(OfUser, InWindow):
    """Parameters of USER_TWEETS."""

    include_replies: StrictBool | None = Field(
        default=None,
        description="True: the Replies tab; False: no answers at all; nothing: the Posts tab as X shows it.",
    )


class UserReplies(OfUser, Timed):
    """Parameters of USER_REPLIES."""


class UserMedia(OfUser, InWindow):
    """Parameters of USER_MEDIA."""


class UserList(OfUser):
    """Parameters of USER_FOLLOWERS, USER_FOLLOWING, VERIFIED_FOLLOWERS and SUBSCRIPTIONS."""
