"""What a migration did, as a table has it."""

from __future__ import annotations

from typing import Final

import msgspec

MOST_KEYS: Final = 5


class Line(msgspec.Struct, kw_only=True):
    """One table, collection or other thing that moves. Hashes do not depend on the order of what they count."""

    concern: str
    name: str
    source: int = 0
    """How many there are in the source."""
    moved: int = 0
    present: int = 0
    """Were there already, the same."""
    merged: int = 0
    """Were there already with other content, and took over what the source knows."""
    verified: bool | None = None
    """None: not looked at, as in a dry run."""
    source_hash: str = ""
    target_hash: str = ""
    differing: list[str] = []
    """The first keys that are missing in the target, or differ there."""
    problems: int = 0
    """How many there are of those."""
    note: str = ""

    def differs(self, key: str) -> None:
        """Remember a key that is missing in the target, or differs there."""
        self.problems += 1
        if len(self.differing) < MOST_KEYS:
            self.differing.append(key)


class Report(msgspec.Struct, kw_only=True):
    """All of it. `target` says each concern's engine and address, without credentials."""

    source: str
    target: dict[str, str]
    dry_run: bool
    contents: dict[str, int]
    """What the target held before."""
    lines: list[Line]
    notes: list[str] = []

    @property
    def good(self) -> bool:
        """Whether everything that was looked at is as it should be."""
        return all(line.verified is not False for line in self.lines)
