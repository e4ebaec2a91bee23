"""X's trends as items."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import Any

from xget_contracts.items import Item
from xget_sources.x.parser.values import Json, as_count, as_list, as_text, dig

_NOT_WORD = re.compile(r"\W+")
_POSTS = re.compile(r"(\d[\d.,]*)\s*([KMB]?)\s*posts", re.IGNORECASE)
_SCALE = {"": 1, "K": 1_000, "M": 1_000_000, "B": 1_000_000_000}


def trend_key(name: str) -> str:
    """Document key of a trend: readable, safe in a path, and different for `AI`, `#AI` and `$AI`."""
    plain = unicodedata.normalize("NFKC", name).casefold().strip()
    slug = _NOT_WORD.sub("-", plain).strip("-")
    if slug != plain.replace(" ", "-") or not slug:
        slug = f"{slug}-{hashlib.blake2b(plain.encode(), digest_size=4).hexdigest()}".strip("-")
    return f"x:trend:{slug}"


def parse_trend(name: str, record: Json) -> Item:
    """A trend as an item: its name is the text, everything else is in `extra`."""
    key = trend_key(name)
    return Item(
        key=key,
        platform="x",
        native_id=key.removeprefix("x:trend:"),
        kind="trend",
        url=_address(record),
        text=name,
        raw_text=name,
        extra=_extra(record),
    )


def _address(record: Json) -> str | None:
    url = as_text(dig(record, "trend_url", "url"))
    if url and url.startswith("twitter://trending/"):
        return f"https://x.com/i/trending/{url.removeprefix('twitter://trending/')}"
    return url


def _extra(record: Json) -> dict[str, Any]:
    context = as_text(dig(record, "social_context", "text"))
    about = as_text(dig(record, "trend_metadata", "meta_description"))
    grouped = [name for entry in as_list(record.get("grouped_trends")) if (name := as_text(dig(entry, "name")))]
    known = {
        "rank": as_count(record.get("rank")),
        "deep_link": as_text(dig(record, "trend_url", "url")),
        "domain": as_text(dig(record, "trend_metadata", "domain_context")),
        "description": about,
        "context": context,
        "posts": _posts(about or context or ""),
        "grouped": grouped or None,
        "ai": True if record.get("is_ai_trend") is True else None,
    }
    return {name: value for name, value in known.items() if value is not None}


def _posts(text: str) -> int | None:
    """`152K posts` as a number, rounded as X rounds it."""
    if found := _POSTS.search(text):
        try:
            return round(float(found.group(1).replace(",", "")) * _SCALE[found.group(2).upper()])
        except ValueError:
            return None
    return None
