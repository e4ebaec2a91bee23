"""Texts as people read them. Pure: everything needed is in the payload."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final

from xget_contracts.items import Item, Link

_ENTITY: Final = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")
_SHORT: Final = re.compile(r"https?://[0-9A-Za-z.-]+/[0-9A-Za-z]+")
"""The shape of t.co links: one pattern for all texts, as compiling one for each costs more than parsing."""
_UNREADABLE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def clean_item(item: Item) -> None:
    """Clean an item's text in place; `raw_text` keeps it as the platform sent it."""
    if item.raw_text is None and item.text:
        item.raw_text = item.text
    item.text = clean_text(item.raw_text or item.text, item.links)


def clean_text(text: str, links: Sequence[Link]) -> str:
    """Entities decoded, short links replaced by what they stand for, NFC, no control characters, trimmed."""
    decoded = _ENTITY.sub(lambda found: html.unescape(found.group()), text)
    readable = _UNREADABLE.sub("", expand(decoded, links))
    return unicodedata.normalize("NFC", readable).strip()


def expand(text: str, links: Sequence[Link]) -> str:
    """`text` with short links replaced; a link of which another is the beginning is not mistaken for it."""
    targets = {link.short: link.url for link in links if link.short and link.short != link.url}
    if not targets or not any(short in text for short in targets):
        return text
    pattern = _SHORT if all(map(_SHORT.fullmatch, targets)) else _any_of(targets)
    return pattern.sub(lambda found: targets.get(found.group(), found.group()), text)


def _any_of(shorts: Iterable[str]) -> re.Pattern[str]:
    longest_first = sorted(shorts, key=len, reverse=True)
    return re.compile("(?:" + "|".join(map(re.escape, longest_first)) + r")(?![0-9A-Za-z])")
