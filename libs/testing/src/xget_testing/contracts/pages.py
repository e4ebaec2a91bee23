"""Hand-made pages of items for storage's contract suites."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from xget_contracts.events import PageParsed
from xget_contracts.items import Author, Item, Metrics

START = datetime(2026, 7, 1, 12, tzinfo=UTC)


def make_item(number: int, *, role: str = "match", **fields: Any) -> Item:
    """A post; higher numbers are older."""
    given: dict[str, Any] = {
        "key": f"x:{number}",
        "platform": "x",
        "native_id": str(number),
        "role": role,
        "text": f"post {number}",
        "lang": "en",
        "created_at": START - timedelta(minutes=number),
        "author_username": f"User{number % 3}",
        "metrics": Metrics(likes=number),
    }
    return Item(**(given | fields))


def make_page(number: int, items: list[Item], *, after: float | None = None, **fields: Any) -> PageParsed:
    """Page `number` of execution e1 of task t1 of owner-1, fetched `after` seconds (default: its number)."""
    given: dict[str, Any] = {
        "execution_id": "e1",
        "task_id": "t1",
        "owner_id": "owner-1",
        "page_no": number,
        "platform": "x",
        "route": "x",
        "task_type": "KEYWORD_SEARCH",
        "parser_version": "x-1",
        "fetched_at": START + timedelta(seconds=number if after is None else after),
        "items": items,
    }
    return PageParsed(**(given | fields))


def make_author(number: int, **fields: Any) -> Author:
    """An author."""
    given: dict[str, Any] = {
        "key": f"x:{number}",
        "platform": "x",
        "id": str(number),
        "username": f"User{number}",
        "name": f"User {number}",
    }
    return Author(**(given | fields))
