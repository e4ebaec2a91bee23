"""What kind of body an answer has, more exactly than its content type says, and its outline without values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

WALLS: Final = frozenset({"html", "cloudflare", "login_page"})
"""Pages of their own where data was asked for."""
_DEPTH: Final = 5
_NAMES: Final = 12
_LONGEST: Final = 1500
_NAME = re.compile(r"[A-Za-z_][A-Za-z_0-9]{0,39}", re.ASCII)
_TAG = re.compile(rb"<([a-z][a-z0-9]{0,15})[\s>/]", re.IGNORECASE)
_LOGIN = ("/login", "/i/flow/login", "/account/access")


def has_data(payload: Any) -> bool:
    """Whether the answer carries at least one object: X may add errors to it."""
    data = payload.get("data") if type(payload) is dict else None
    return type(data) is dict and any(value is not None for value in data.values())


def exactly(kind: str, status: int, headers: Mapping[str, str], body: bytes, payload: Any) -> str:
    """The kind of the body in the playbook's words, given the rough one (json, html, empty, other)."""
    if 300 <= status < 400:
        return "login_page" if any(path in headers.get("location", "") for path in _LOGIN) else kind
    if kind == "html":
        return _of_page(headers, body)
    if kind == "json" and not has_data(payload) and b"LoadShed" in body[:4000]:
        return "loadshed"
    if kind == "json" and status == 200 and has_data(payload) and _without_instructions(payload["data"]):
        return "no_instructions"
    return kind


def outline(payload: Any, page: bytes = b"") -> str:
    """Names and types of a JSON body, or the tags of a page: no values, no texts, no ids."""
    if page:
        tags = dict.fromkeys(found.decode().lower() for found in _TAG.findall(page[:20_000]))
        return f"<{' '.join(list(tags)[:_NAMES])}>"
    return "" if payload is None else _outline(payload, _DEPTH)[:_LONGEST]


def _of_page(headers: Mapping[str, str], body: bytes) -> str:
    head = body[:20_000].lower()
    if "cf-ray" in headers or "cloudflare" in headers.get("server", "").lower() or b"cloudflare" in head:
        return "cloudflare"
    return "login_page" if b"/i/flow/login" in head else "html"


def _without_instructions(data: Any) -> bool:
    """Whether there is a list of instructions, and none in it."""
    waiting, empty = [(data, 0)], False
    while waiting:
        value, depth = waiting.pop()
        found = value.get("instructions")
        if type(found) is list:
            if found:
                return False
            empty = True
        if depth < _DEPTH:
            waiting.extend((inner, depth + 1) for inner in value.values() if type(inner) is dict)
    return empty


def _outline(value: Any, depth: int) -> str:
    if type(value) is dict:
        if depth == 0:
            return "{..}"
        names = sorted({name if type(name) is str and _NAME.fullmatch(name) else "#" for name in value})
        shown = [f"{name}:{_outline(value[name], depth - 1)}" if name in value else name for name in names[:_NAMES]]
        return "{" + ",".join(shown) + ("" if len(names) <= _NAMES else ",..") + "}"
    if type(value) is list:
        return f"[{_outline(value[0], depth - 1)}]" if value and depth else "[]"
    return {str: "text", bool: "bool", int: "number", float: "number"}.get(type(value), "null")
