"""What a request asks for: numbers, times, lists, and which part of a listing."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from xget_sandbox.api_v2.problems import invalid, not_found, suspended
from xget_sandbox.wire.cursors import BadCursor, Cursor, decode, encode
from xget_sandbox.world.model import Author

Json = dict[str, Any]
Asked = Mapping[str, str]


def cut(
    rows: Sequence[Any], listing: str, asked: Asked, *, least: int, most: int, usual: int
) -> tuple[Sequence[Any], Json]:  # fmt: skip
    """One page of a listing and its `meta`. Raises Refused (400)."""
    given = asked.get("max_results", str(usual))
    if not given.isdecimal() or not least <= int(given) <= most:
        message = f"The `max_results` query parameter value [{given}] is not between {least} and {most}"
        raise invalid("max_results", given, message)
    token = asked.get("next_token") or asked.get("pagination_token")
    try:
        start = decode(listing, token, "token").offset if token else 0
    except BadCursor:
        raise invalid("next_token", token or "", "The `next_token` query parameter value is not valid") from None
    after = start + int(given)
    return rows[start:after], ({"next_token": encode(listing, Cursor(after), "token")} if after < len(rows) else {})


def unseen(author: Author | None, parameter: str, value: str) -> Json | None:
    """The error beside data for a user who is not there or suspended."""
    if author is None or author.standing == "removed":
        return not_found("user", parameter, value)
    return suspended(parameter, value) if author.standing == "suspended" else None


def listed(asked: Asked, name: str) -> list[str]:
    """1 to 100 values with commas between them. Raises Refused (400)."""
    values = [value for value in asked.get(name, "").split(",") if value]
    if not 1 <= len(values) <= 100:
        raise invalid(name, asked.get(name, ""), f"The number of values in the `{name}` query parameter list "
                      f"[{len(values)}] is not between 1 and 100")  # fmt: skip
    return values


def whole(text: str) -> int:
    """A number in a path. Raises Refused (400)."""
    if not re.fullmatch(r"[0-9]{1,19}", text):
        raise invalid("id", text, f"The `id` query parameter value [{text}] does not match ^[0-9]{{1,19}}$")
    return int(text)


def moment(asked: Asked, name: str) -> int | None:
    """A time in Unix milliseconds, None when it is not given. Raises Refused (400)."""
    text = asked.get(name)
    if text is None:
        return None
    try:
        return int(datetime.fromisoformat(text).timestamp() * 1000)
    except ValueError:
        message = f"The `{name}` query parameter value [{text}] is not a valid RFC 3339 time"
        raise invalid(name, text, message) from None
