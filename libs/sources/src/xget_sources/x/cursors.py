"""Where a collection stands, as one opaque text: the stage, the user it found, and X's own cursor."""

from __future__ import annotations

import msgspec

from xget_sources.ports import SourceStopped


class Position(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A point between two pages; `uid` is the looked-up user, `cursor` X's cursor of the next page."""

    uid: str | None = None
    cursor: str | None = None
    name: str | None = None
    """A looked-up user's name, where X asks for it."""
    known: tuple[str, ...] = ()
    """Posts of the thread that was found so far."""
    done: str | None = None
    """Why the conversation itself ended, while branches are still to be read."""
    branches: tuple[str, ...] = ()
    """X's cursors of places of a conversation that are still to be read, before `cursor`."""

    def encode(self) -> str:
        """As text for `RawPage.cursor_out`."""
        body = {"stage": "timeline", **msgspec.to_builtins(self)}
        return msgspec.json.encode(body).decode()

    @staticmethod
    def decode(text: str | None) -> Position:
        """Read it back; None is the start. Raises SourceStopped for a text that is no cursor of this source."""
        if text is None:
            return Position()
        try:
            return msgspec.json.decode(text, type=Position)
        except (msgspec.DecodeError, UnicodeEncodeError) as error:
            raise SourceStopped("source_error", "The cursor to go on from is not one of this source.") from error
