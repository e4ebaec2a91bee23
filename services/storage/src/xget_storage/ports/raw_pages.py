"""The store of pages as platforms answered them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from xget_storage.models import RawPage


class RawPageStore(Protocol):
    """Keeps what platforms answered, as received."""

    async def put(self, pages: Sequence[RawPage], now: datetime) -> None:
        """Keep pages; the same (execution, number) again replaces."""

    async def get(self, execution_id: str, page_no: int) -> RawPage | None:
        """One page."""

    async def scan(self, after: str | None, size: int) -> tuple[list[RawPage], str | None]:
        """Some pages behind `after` (None: from the start), and where to go on, None at the end.

        A page that is stored meanwhile may be left out.
        """

    async def replace(self, page: RawPage, sha256: str) -> bool:
        """Put `page` in the place of the one whose `sha256` this is, keeping its age; nothing is left of that one.

        False when it is not there (any more).
        """

    async def drop_before(self, moment: datetime) -> int:
        """Drop pages stored before `moment`; how many."""

    async def close(self) -> None:
        """Release files and threads; twice is fine."""
