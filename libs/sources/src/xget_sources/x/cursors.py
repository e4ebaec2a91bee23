"""Where a collection stands, as one opaque text: the stage, the user it found, and X's own cursor."""

from __future__ import annotations

from typing import Final

import msgspec

from xget_sources.ports import SourceStopped

MOST_AFRESH: Final = 3
"""How often a timeline is read again from its beginning because X refused a cursor."""


class CursorRefused(SourceStopped):
    """X does not know the cursor any more: it has grown too old."""


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
    afresh: int = 0
    """How often the timeline was begun again."""

    def begun_again(self, refused: CursorRefused) -> Position:
        """The beginning, for a cursor that was refused. Raises it where there was none, or after too many of them."""
        if (self.cursor is None and not self.branches) or self.afresh >= MOST_AFRESH:
            raise refused
        return Position(uid=self.uid, name=self.name, afresh=self.afresh + 1)

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


class Trail:
    """The cursors that a run of a timeline came by, in bounded memory, so that going round in a circle is noticed.

    It knows the last `LATEST`. For circles that are longer it keeps one cursor more, ever later ones, and meets it
    again within three rounds (Brent's algorithm).
    """

    LATEST: Final = 1_000

    def __init__(self, start: str | None) -> None:
        self._latest: dict[str | None, None] = {start: None}
        self._kept = start
        self._steps = 0
        self._keep_at = self.LATEST

    def __contains__(self, cursor: str | None) -> bool:
        return cursor in self._latest or cursor == self._kept

    def add(self, cursor: str | None) -> None:
        """The run goes on behind this cursor."""
        self._latest[cursor] = None
        if len(self._latest) > self.LATEST:
            del self._latest[next(iter(self._latest))]
        self._steps += 1
        if self._steps >= self._keep_at:
            self._kept, self._steps, self._keep_at = cursor, 0, self._keep_at * 2
