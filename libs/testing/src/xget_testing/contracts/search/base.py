"""What the parts of the suite share."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from xget_testing.contracts.pages import START


class SearchSuite:
    """Makes stored items and asks for them."""

    ports: Any
    models: Any

    def item(self, number: int, text: str, **fields: Any) -> Any:
        """A stored item of owner-1; higher numbers are older."""
        given: dict[str, Any] = {
            "key": f"x:{number}",
            "platform": "x",
            "native_id": str(number),
            "text": text,
            "created_at": START - timedelta(hours=number),
            "first_seen": START,
            "last_seen": START,
            "content_at": START,
            "source": "x",
            "seen_by": {"owner-1": ["t1"]},
        }
        return self.models.StoredItem(**(given | fields))

    async def texts(self, index: Any, *texts: str) -> None:
        """Index texts as x:0, x:1…"""
        await index.index([self.item(number, text) for number, text in enumerate(texts)])

    async def found(self, index: Any, text: str | None, **wanted: Any) -> list[str]:
        """Keys that a query finds, sorted; the total and the order by time agree with it."""
        keys: list[str] = []
        for sort in ("relevance", "newest", "oldest"):
            query = self.ports.SearchQuery(text=text, wanted=self.ports.ItemFilter(**wanted), sort=sort, size=100)
            page = await index.search(query)
            assert page.total == len(page.keys)
            assert keys in ([], sorted(page.keys))
            keys = sorted(page.keys)
        return keys
