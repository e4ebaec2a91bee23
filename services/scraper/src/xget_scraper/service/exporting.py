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
)
"""Columns of the CSV: fields of a document, and its metrics by name. Lists are joined by spaces."""
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
    flat = {**(document.get("metrics") or {}), **document}
    return [_cell(flat.get(name)) for name in COLUMNS]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return " ".join(_cell(part.get("url")) if isinstance(part, Mapping) else _cell(part) for part in value)
    return str(value)
