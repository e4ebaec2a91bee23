"""Looking into stored pages of a platform: pure, and without anything that collects."""

from __future__ import annotations

from typing import Protocol

import msgspec


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """A record of a page, as the platform sent it."""

    path: str
    """Where in the payload, as `data.a.b[3].c`."""
    raw: bytes
    """The record itself as JSON."""


class Cleaned(msgspec.Struct, frozen=True, kw_only=True):
    """A page without what an author wrote."""

    body: bytes
    records: int
    """Records that were taken out or lost their text; 1 for a body that had to go as a whole."""
    whole: bool = False
    """Nothing is left: all of it was theirs, or it could not be read."""


class Records(Protocol):
    """What the module of a source offers as `lookup()`, beside its entry point in group `xget.sources`."""

    platform: str

    def record_of(self, body: bytes, key: str) -> Record | None:
        """The record of an item by its key, the fullest when the page has several; None when it has none."""

    def without_author(self, body: bytes, author_id: str) -> Cleaned | None:
        """The page, or a single record, without the author's posts, profiles, and copies of their texts in reposts.

        None: it has none of these. A post whose author cannot be read and that names their id counts as theirs.

        Never raises: a body that cannot be read and names the author goes as a whole.
        """
