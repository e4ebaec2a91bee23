"""How far a migration has come: a small file in the source, one for each target.

It is written after the target has a piece durably; so after a kill at any moment the piece in hand is looked at again,
and found to be there.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import Final

import msgspec

from xget_kernel.errors import StartupError
from xget_kernel.files import replace
from xget_kernel.ids import new_id

Watch = Callable[[str, int, int], None]
"""Told what moves, how much of it is done and how much there is."""
_DIGEST_BYTES: Final = 4


class Mark(msgspec.Struct):
    """How far one thing has come: the place to go on behind, "" at the beginning."""

    after: str = ""
    moved: int = 0
    present: int = 0
    merged: int = 0
    done: bool = False


class _State(msgspec.Struct):
    id: str
    stamp: str
    merge: bool = False
    marks: dict[str, Mark] = {}
    facts: dict[str, int] = {}


class Progress:
    """The file's content. `begun` tells that a run before brought something from the source as it is now."""

    def __init__(self, path: Path, stamp: str) -> None:
        self._path = path
        known = self._read() if path.exists() else None
        self.begun = known is not None and known.stamp == stamp
        self._state = known if known is not None and self.begun else _State(id=new_id(), stamp=stamp)

    @classmethod
    def of(cls, source: Path, target: str, stamp: str) -> Progress:
        """The progress from a folder to a target, which any text names. `stamp` tells the source's state.

        Raises StartupError.
        """
        name = blake2b(target.encode(), digest_size=_DIGEST_BYTES).hexdigest()
        return cls(source / f"migration-{name}.json", stamp)

    @property
    def id(self) -> str:
        """Names this migration."""
        return self._state.id

    @property
    def merge(self) -> bool:
        """Whether a run of this migration was told to merge."""
        return self._state.merge

    def begin(self, *, merge: bool) -> None:
        """From now on something may be in the target."""
        self._state.merge = merge
        self.save()

    def mark(self, name: str) -> Mark:
        """How far `name` has come; change it, then save."""
        return self._state.marks.setdefault(name, Mark())

    def fact(self, name: str) -> int | None:
        """A number that an earlier piece needs again."""
        return self._state.facts.get(name)

    def remember(self, name: str, value: int) -> None:
        """Keep a number, durably."""
        self._state.facts[name] = value
        self.save()

    def save(self) -> None:
        """Write it down. Raises StartupError."""
        try:
            replace(self._path, msgspec.json.encode(self._state))
        except OSError as error:
            raise StartupError(
                f"The progress file {self._path} cannot be written ({error.strerror}): make room, or give this user "
                "the right to write there, then run the same command again; it goes on."
            ) from error

    def _read(self) -> _State:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=_State)
        except (OSError, msgspec.MsgspecError) as error:
            raise StartupError(
                f"The progress file {self._path} cannot be read: delete it, then run again with --merge."
            ) from error
