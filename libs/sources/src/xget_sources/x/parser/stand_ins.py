"""What X shows in place of a post: deleted, withheld, for adults only, of a suspended account… ("tombstones")."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any, Final

import msgspec

from xget_contracts.items import Gone, Item
from xget_sources.x.parser.values import Json, as_dict, as_id, as_list, as_text, dig
from xget_sources.x.parser.walk import STAND_INS, is_empty_place

_POST_ENTRY: Final = re.compile(r"(?:^|-)tweet-(\d{1,20})$")
_RELATED: Final = {
    "quoted_status_result": "quoted_status_id_str",
    "quotedRefResult": "quoted_status_id_str",
    "retweeted_status_result": "retweeted_status_id_str",
}
_WORDS: Final[tuple[tuple[str, Gone], ...]] = (
    ("withheld", "withheld"),
    ("legal demand", "withheld"),
    ("georestricted", "withheld"),
    ("suspended", "suspended"),
    ("deleted", "deleted"),
    ("nsfw", "age_gated"),
    ("age-restricted", "age_gated"),
    ("age restricted", "age_gated"),
    ("agegated", "age_gated"),
    ("adult content", "age_gated"),
    ("your age", "age_gated"),
    ("limits who can", "limited"),
    ("protected", "limited"),
    ("subscribers", "limited"),
)
"""What X says, in small letters, and what it means: the first that is found."""
_CODES: Final[dict[int, Gone]] = {34: "deleted", 63: "suspended", 144: "deleted", 179: "limited"}
"""X's numbers for a post that it does not show."""


class StandIns(msgspec.Struct):
    """Stand-ins of a page: those whose post X names, and how often it did not."""

    named: dict[str, tuple[Gone, str | None]]
    nameless: dict[str, int]


def read_stand_ins(payload: Any) -> StandIns:
    """Every stand-in for a post of a payload; a timeline's empty place counts as one."""
    found = StandIns(named={}, nameless={})
    stack: list[tuple[Any, str | None]] = [(payload, None)]
    while stack:
        node, native_id = stack.pop()
        if type(node) is list:
            stack += [(value, native_id) for value in reversed(node) if type(value) in (dict, list)]
            continue
        native_id = _named_by(node, native_id)
        kind = node.get("__typename")
        if type(kind) is str and kind in STAND_INS:
            _add(found, node, kind, native_id)
        elif kind == "TimelineTweet" and is_empty_place(node):
            _add(found, node, kind, as_id(dig(node, "tweet_results", "rest_id")) or native_id)
        else:
            stack += _below(node, native_id)
    return found


def _named_by(node: Json, native_id: str | None) -> str | None:
    """The post that everything under `node` is in place of, as far as the payload says."""
    if "entryId" in node:
        entry = _POST_ENTRY.search(as_text(node["entryId"]) or "")
        return entry.group(1) if entry else None
    if "result" in node and "rest_id" in node:
        return as_id(node["rest_id"]) or native_id
    return native_id


def _below(node: Json, native_id: str | None) -> list[tuple[Any, str | None]]:
    """What to look at next. What is inside a post stands for the post that it quotes or repeats, never for itself."""
    legacy = as_dict(node.get("legacy"))
    if legacy or "full_text" in node or "core" in node:
        native_id = None
    below: list[tuple[Any, str | None]] = []
    for name, value in reversed(node.items()):
        if type(value) is dict or type(value) is list:
            related = _RELATED.get(name)
            known = native_id if related is None else as_id(node.get(related)) or as_id(legacy.get(related))
            below.append((value, known))
    return below


def _add(found: StandIns, node: Json, kind: str, native_id: str | None) -> None:
    text = _text(node)
    gone = gone_of(f"{node.get('reason')} {text or ''}")
    native_id = native_id or as_id(node.get("rest_id"))
    if native_id is None:
        found.nameless[gone] = found.nameless.get(gone, 0) + 1
    else:
        found.named.setdefault(native_id, (gone, text))


def count_users(records: list[Json]) -> dict[str, int]:
    """Stand-ins for users by reason, as `user:suspended`."""
    return dict(Counter("user:" + gone_of(f"{record.get('reason')} {_text(record) or ''}") for record in records))


def gone_of(words: str) -> Gone:
    """What X's words for a missing post mean."""
    small = words.lower()
    return next((meaning for word, meaning in _WORDS if word in small), "unavailable")


def _text(node: Json) -> str | None:
    for path in (("tombstone", "text"), ("tombstoneInfo", "richText"), ("tombstoneInfo",)):
        if text := as_text(dig(node, *path, "text")):
            return text
    return as_text(node.get("message")) or as_text(node.get("reason"))


def nothing_there(payload: Any) -> tuple[Gone, str | None] | None:
    """What X says instead of any content at all; None when it shows something, or says nothing of the post."""
    if not set(payload if type(payload) is dict else "?") <= {"data", "errors", "extensions"}:
        return None
    data, errors = as_dict(payload.get("data")), [as_dict(one) for one in as_list(payload.get("errors"))]
    if any(data.values()):
        return None
    for error in errors:
        text, code = as_text(error.get("message")), error.get("code")
        if type(code) is int and code in _CODES:
            return _CODES[code], text
        if text and text.startswith("_Missing"):
            return "deleted", text
    return None if errors else ("unavailable", None)


def stand_in_item(native_id: str, gone: Gone, text: str | None) -> Item:
    """A post of which only its number is known. It carries nothing that could replace what is stored of the post."""
    return Item(key=f"x:{native_id}", platform="x", native_id=native_id, gone=gone, gone_text=text)
