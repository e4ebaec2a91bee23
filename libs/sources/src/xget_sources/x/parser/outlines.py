"""What a strange value looks like, without its content."""

from __future__ import annotations

from typing import Any, Final

import orjson

LONGEST: Final = 2000
_WIDEST: Final = 60
_DEPTHS: Final = (6, 4, 3, 2, 1)
_NAMES: Final = {dict: "object", list: "list", str: "text", bool: "flag", int: "number", float: "number"}


def outline(value: Any) -> str:
    """Field names and types of a value as JSON, as deep as fits into 2,000 characters."""
    text = ""
    for depth in _DEPTHS:
        text = orjson.dumps(_outline(value, depth)).decode()
        if len(text) <= LONGEST:
            return text
    return text[: LONGEST - 1] + "…"


def type_name(value: Any) -> str:
    """One of null, text, number, flag, list and object."""
    return _NAMES.get(type(value), "null")


def _outline(value: Any, depth: int) -> Any:
    if depth and type(value) is dict:
        shown = {key[:_WIDEST]: _outline(value[key], depth - 1) for key in list(value)[:_WIDEST]}
        return shown if len(value) <= _WIDEST else {**shown, "…": len(value) - _WIDEST}
    if depth and type(value) is list:
        return [_outline(value[0], depth - 1), f"{len(value)} in all"] if value else []
    return type_name(value)
