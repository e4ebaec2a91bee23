"""Documents as files."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final

import msgspec

COLUMNS: Final = (
    "key",
    "platform",
    "native_id",
    "kind",
    "role",
    "url",
    "created_at",
    "lang",
    "text",
    "author_id",
    "author_username",
    "author_name",
    "conversation_id",
    "in_reply_to_id",
    "quoted_id",
    "reposted_id",
    "hashtags",
    "links",
    "media",
    "replies",
    "reposts",
    "likes",
    "quotes",
    "bookmarks",
    "views",
    "followers",
    "following",
    "posts",
    "first_seen",
    "last_seen",
    "execution_id",
    "mentions",
    "cashtags",
    "alt_texts",
    "card_type",
    "card_title",
    "card_url",
    "poll",
    "poll_ends_at",
    "place",
    "country_code",
    "longitude",
    "latitude",
    "source_app",
    "sensitive",
    "gone",
    "members",
    "extra",
    "source",
)
"""Columns of the CSV: fields of a document, its metrics by name, and what `_nested` takes out of it; `source` is the
route that brought it first."""
MARK: Final = b"\xef\xbb\xbf"
"""Tells spreadsheets that the file is UTF-8."""


async def as_jsonl(batches: AsyncIterator[Sequence[bytes]]) -> AsyncIterator[bytes]:
    """One document a line, as stored."""
    async for batch in batches:
        yield b"".join(document + b"\n" for document in batch)


async def as_csv(batches: AsyncIterator[Sequence[bytes]]) -> AsyncIterator[bytes]:
    """A header line, then one row a document; UTF-8 with a mark, RFC 4180."""
    yield MARK + _lines([COLUMNS])
    async for batch in batches:
        yield _lines([_row(msgspec.json.decode(document)) for document in batch])


def _lines(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _row(document: Mapping[str, Any]) -> list[str]:
    flat = {**(document.get("metrics") or {}), **document, **_nested(document)}
    return [_cell(flat.get(name)) for name in COLUMNS]


def _nested(document: Mapping[str, Any]) -> dict[str, Any]:
    """Parts of a document's parts. Texts stand on a line each; `extra` is JSON, by the names that sources document."""
    card, place, point = (document.get(name) or {} for name in ("card", "place", "coordinates"))
    extra = document.get("extra")
    options = card.get("options") or ()
    return {
        "mentions": [user.get("username") or user["id"] for user in document.get("mentions") or ()],
        "alt_texts": "\n".join(text for media in document.get("media") or () if (text := media.get("alt_text"))),
        "card_type": card.get("type"),
        "card_title": card.get("title"),
        "card_url": card.get("url"),
        "poll": "\n".join(f"{option['label']}: {_cell(option.get('votes'))}" for option in options),
        "poll_ends_at": card.get("ends_at"),
        "place": place.get("full_name") or place.get("name"),
        "country_code": place.get("country_code"),
        "longitude": point.get("longitude"),
        "latitude": point.get("latitude"),
        "extra": msgspec.json.encode(extra).decode() if extra else None,
    }


def _cell(value: Any) -> str:
    """Lists are joined by spaces; what has an address stands as that."""
    if value is None:
        return ""
    if isinstance(value, list):
        return " ".join(_cell(part.get("url")) if isinstance(part, Mapping) else _cell(part) for part in value)
    return str(value)
