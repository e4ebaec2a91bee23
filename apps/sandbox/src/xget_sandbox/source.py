"""What answers operations: the seeded world or recordings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from xget_sandbox.wire.cursors import TURNS, Cursor

Json = dict[str, Any]

TIMELINES = frozenset(
    {
        "SearchTimeline", "UserTweets", "UserTweetsAndReplies", "UserMedia", "Followers", "Following",
        "BlueVerifiedFollowers", "TweetDetail", "Retweeters", "ListMembers", "ListLatestTweetsTimeline",
        "GenericTimelineById", "Bookmarks", "UserCreatorSubscriptions", "CommunityTweetsTimeline",
        "membersSliceTimeline_Query", "moderatorsSliceTimeline_Query",
    }
)  # fmt: skip


class Tampering(Protocol):
    """A change a fault makes to one page."""

    @property
    def empty(self) -> bool:
        """Leave out the entries and lead to the same place again."""

    @property
    def repeat(self) -> bool:
        """Let the cursor lead to this very page again."""

    @property
    def ended(self) -> bool:
        """Leave out the entries and say that there is no more."""


class Untouched:
    """No change."""

    empty = False
    repeat = False
    ended = False


class Source(Protocol):
    """Answers one operation."""

    def answer(self, operation: str, variables: Mapping[str, Any], tampering: Tampering) -> bytes | None:
        """The body of a 200 answer as JSON; None for an operation that does not exist (X says 404)."""


def following(cursor: Cursor, count: int, tampering: Tampering) -> Cursor:
    """Where the page after `count` rows begins, unless a fault bends the way."""
    if tampering.empty:
        return Cursor(cursor.offset, (cursor.turn + 1) % TURNS)
    return cursor if tampering.repeat or tampering.ended else Cursor(cursor.offset + count)


def missing(code: int = 144, message: str = "_Missing: No status found with that ID.") -> Json:
    """X's answer for something that is not there."""
    error = {"message": message, "code": code, "name": "GenericError", "kind": "NonFatal", "source": "Server"}
    return {"errors": [error], "data": {}}
