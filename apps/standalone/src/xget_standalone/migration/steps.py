"""How things move: piece by piece, each looked for before it is written; then all compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final, NamedTuple, Protocol

from xget_standalone.migration.progress import Progress, Watch
from xget_standalone.migration.report import Line

_MODULUS: Final = 1 << 128


class Row(NamedTuple):
    """Something that moves. `place`: where to read on behind it; `text`: the same bytes on every engine."""

    place: str
    key: str
    text: bytes
    value: Any


class Step(Protocol):
    """One thing that moves as a whole: a table, a collection, a file."""

    @property
    def line(self) -> Line:
        """What is told of it."""

    async def measure(self) -> None:
        """Count what is in the source."""

    async def move(self, progress: Progress, watch: Watch) -> None:
        """Bring it over, going on where the progress says. Repeating it changes nothing."""

    async def verify(self, watch: Watch) -> None:
        """Compare source and target."""


class Shelf(Protocol):
    """A table or collection, read in pieces from the source and found by key in the target."""

    concern: str
    name: str
    merges: bool
    """Whether one that is there with other content takes over what the source knows, when that is allowed."""

    async def total(self) -> int:
        """How many there are in the source."""

    async def prepare(self, progress: Progress) -> None:
        """Before anything moves."""

    async def read(self, after: str) -> list[Row]:
        """The next piece of the source; empty at the end."""

    async def present(self, rows: Sequence[Row]) -> dict[str, bytes]:
        """Texts of those that the target has, by key."""

    async def bring(self, rows: Sequence[Row]) -> None:
        """Insert those that are missing, merge those that are there. What cannot be stored is left out."""

    async def settled(self, rows: Sequence[Row]) -> set[str]:
        """Keys for which bringing again would change nothing."""

    async def finish(self) -> None:
        """After everything has moved."""


class Sum:
    """A hash that does not depend on the order."""

    def __init__(self) -> None:
        self._value = 0

    def add(self, key: str, text: bytes) -> None:
        """Count something in."""
        digest = blake2b(text, digest_size=16, key=blake2b(key.encode(), digest_size=16).digest()).digest()
        self._value = (self._value + int.from_bytes(digest)) % _MODULUS

    def hex(self) -> str:
        """32 hexadecimal digits."""
        return f"{self._value:032x}"


@dataclass
class ShelfStep:
    """Moves a shelf."""

    shelf: Shelf
    merge: bool

    def __post_init__(self) -> None:
        self.line = Line(concern=self.shelf.concern, name=self.shelf.name)

    async def measure(self) -> None:
        self.line.source = await self.shelf.total()

    async def move(self, progress: Progress, watch: Watch) -> None:
        mark = progress.mark(self.shelf.name)
        await self.shelf.prepare(progress)
        while not mark.done:
            rows = await self.shelf.read(mark.after)
            if rows:
                moved, present, merged = await self._move(rows)
                mark.moved, mark.present, mark.merged = mark.moved + moved, mark.present + present, mark.merged + merged
                mark.after = rows[-1].place
            else:
                await self.shelf.finish()
                mark.done = True
            progress.save()
            watch(self.shelf.name, mark.moved + mark.present + mark.merged, self.line.source)
        self.line.moved, self.line.present, self.line.merged = mark.moved, mark.present, mark.merged

    async def _move(self, rows: Sequence[Row]) -> tuple[int, int, int]:
        found = await self.shelf.present(rows)
        missing = [row for row in rows if row.key not in found]
        differing = [row for row in rows if row.key in found and found[row.key] != row.text]
        if missing:
            await self.shelf.bring(missing)
        if not (differing and self.merge and self.shelf.merges):
            return len(missing), len(rows) - len(missing) - len(differing), 0
        await self.shelf.bring(differing)
        return len(missing), len(rows) - len(missing) - len(differing), len(differing)

    async def verify(self, watch: Watch) -> None:
        ours, theirs = Sum(), Sum()
        after, done = "", 0
        while rows := await self.shelf.read(after):
            found = await self.shelf.present(rows)
            for row in rows:
                ours.add(row.key, row.text)
                if row.key in found:
                    theirs.add(row.key, found[row.key])
            off = [row for row in rows if found.get(row.key) != row.text]
            settled = await self.shelf.settled(off) if off and self.merge and self.shelf.merges else set()
            for row in off:
                if row.key not in settled:
                    self.line.differs(row.key)
            after, done = rows[-1].place, done + len(rows)
            watch(f"verify {self.shelf.name}", done, self.line.source)
        self.line.source_hash, self.line.target_hash = ours.hex(), theirs.hex()
        self.line.verified = not self.line.problems and done == self.line.source
