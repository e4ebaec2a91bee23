"""Which fields a payload has, by the shape that carries them: what changes when X changes its format.

A field is a path inside its record, such as `legacy.entities.urls[].display_url`; `[]` stands for the elements of a
list and `*` for a number used as a key. A known field with a value of another type than before is told besides as
`path!type` ("legacy.full_text!number"), so that data which the parser must drop does not vanish unseen.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any, Final

import msgspec

from xget_sources.ports import KnownFields, PageToParse
from xget_sources.x.parser.decoding import decode
from xget_sources.x.parser.users import is_profile
from xget_sources.x.parser.walk import REFERENCE_KEYS

_SHAPES: Final = {
    "Tweet": "post",
    "User": "user",
    "TimelineTrend": "trend",
    "Community": "community",
    "TweetWithVisibilityResults": "visibility",
    "TweetTombstone": "tombstone",
    "TweetUnavailable": "tombstone",
    "TimelineTombstone": "tombstone",
    "UserUnavailable": "tombstone",
}
_HELD: Final = {"tweet": "post", "card": "card", "list": "list"}
"""Shapes told by the field that holds them: X does not always give their type."""
_TYPES: Final = {dict: "object", list: "list", str: "text", bool: "flag", int: "number", float: "number"}
_DEEPEST: Final = 16
_LONGEST_KEY: Final = 64
_MOST: Final = 4000
"""Fields told of one payload: maps with keys of their own must not flood the counts."""

Field = tuple[str, str, str]
"""Shape, path and type of the value; the type of null is empty."""


class Baseline(msgspec.Struct, frozen=True):
    """The fields that this version of the parser was written for."""

    types: dict[str, dict[str, str]]
    """Shape → path → types of the value, as "text" or "list|object"; "" when only null was seen."""
    usual: dict[str, list[str]]
    """Shape → the fields that no page lacked which had the shape at all: when one of these is gone, X has changed."""


@cache
def baseline() -> Baseline:
    """The committed baseline; `scripts/learn_x_fields.py` adds to it."""
    return msgspec.json.decode((files(__package__) / "fields.json").read_bytes(), type=Baseline)


@cache
def known_fields() -> KnownFields:
    """The baseline as a source tells it."""
    known, usual = baseline().types, baseline().usual
    return KnownFields(
        known={shape: frozenset(paths) for shape, paths in known.items()},
        usual={shape: frozenset(paths) for shape, paths in usual.items()},
    )


def fields_of_page(page: PageToParse) -> dict[str, frozenset[str]]:
    """The fields of a stored page; none when its body is no JSON."""
    try:
        return fields_of(decode(page.body))
    except ValueError:
        return {}


def fields_of(payload: Any) -> dict[str, frozenset[str]]:
    """The fields of a decoded payload by shape (post, user, card, media, timeline…). Pure; raises for no payload.

    Costs several times a parse: call it on a sample of pages. A shape that is known and not in the answer was not on
    the page, which says nothing about its fields; nor does a single page with one or two records of a shape.
    """
    known = baseline().types
    found: dict[str, set[str]] = {}
    for shape, path, kind in walk_fields(payload):
        paths = found.setdefault(shape, set())
        paths.add(path)
        types = known.get(shape, {}).get(path)
        if types and kind and kind not in types:
            paths.add(f"{path}!{kind}")
    return {shape: frozenset(paths) for shape, paths in found.items()}


def walk_fields(payload: Any) -> Iterator[Field]:
    """Each field of a payload once, with each type that it has there."""
    seen: set[Field] = set()
    stack: list[tuple[Any, str, str, int]] = [(payload, "", "", 0)] if type(payload) in (dict, list) else []
    while stack and len(seen) < _MOST:
        node, shape, path, depth = stack.pop()
        if depth > _DEEPEST and shape:
            continue
        if type(node) is list:
            stack += [(value, shape, f"{path}[]", depth + 1) for value in node if type(value) in (dict, list)]
            continue
        if own := _shape_of(node):
            shape, path, depth = own, "", 0
        for name, value in node.items():
            inner = f"{path}.{_name(name)}" if path else _name(name)
            kind = _TYPES.get(type(value), "")
            if shape and (field := (shape, inner, kind)) not in seen and len(seen) < _MOST:
                seen.add(field)
                yield field
            if value and kind in ("object", "list"):
                stack += _below(name, value, shape, inner, depth + 1)


def _below(name: str, value: Any, shape: str, path: str, depth: int) -> Iterator[tuple[Any, str, str, int]]:
    """What to walk next: a record of its own begins again at an empty path."""
    if name == "media" and type(value) is list:
        yield from ((entry, "media", "", 0) for entry in value if type(entry) is dict)
    elif name == "binding_values" and type(value) is list:
        yield from ((entry, shape, path, depth) for entry in _bindings(value))
    elif name in _HELD and type(value) is dict and shape:
        yield value, _HELD[name], "", 0
    else:
        yield value, shape, path, depth


def _bindings(entries: list[Any]) -> Iterator[dict[str, Any]]:
    """A card's list of keys and values as objects by key."""
    for entry in entries:
        if type(entry) is dict and type(key := entry.get("key")) is str:
            yield {key: entry.get("value")}


def _shape_of(node: dict[str, Any]) -> str | None:
    """The shape that begins with an object, when one does."""
    kind = node.get("__typename")
    if type(kind) is str and (own := _SHAPES.get(kind)) and not _is_reference(own, node):
        return "about" if own == "user" and "about_profile" in node else own
    return "timeline" if type(node.get("instructions")) is list else None


def _is_reference(shape: str, node: dict[str, Any]) -> bool:
    """Objects that only name a post or user, or hold a user's timeline."""
    if shape == "user":
        return "rest_id" not in node or not is_profile(node)
    return shape == "post" and node.keys() <= REFERENCE_KEYS


def _name(key: str) -> str:
    return "*" if key.isdigit() else key[:_LONGEST_KEY]
