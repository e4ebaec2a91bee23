"""Where a collection through the API stands, as one opaque text."""

from __future__ import annotations

from datetime import datetime

import msgspec

from xget_sources.ports import SourceStopped


class Position(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="x_api", tag_field="route"):
    """A point between two pages."""

    uid: str | None = None
    """The looked-up user."""
    token: str | None = None
    """The API's next_token."""
    archive: bool | None = None
    """Whether all posts are searched; None until the first account was asked."""
    reach: datetime | None = None
    """How far back the search goes, where that is not far enough."""
    unended: bool = False
    """The search goes up to now: X does not take the end that was wished."""
    listed: int = 0
    """Results so far."""

    def encode(self) -> str:
        """As text for `RawPage.cursor_out`."""
        return msgspec.json.encode(self).decode()

    @staticmethod
    def decode(text: str | None) -> Position:
        """Read it back; None is the start. Raises SourceStopped for a text that is no cursor of this source."""
        if text is None:
            return Position()
        try:
            return msgspec.json.decode(text, type=Position)
        except (msgspec.DecodeError, UnicodeEncodeError) as error:
            raise SourceStopped("source_error", "The cursor to go on from is not one of X's API.") from error
