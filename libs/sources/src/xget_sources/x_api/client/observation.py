"""What an answer of the API was: its problem in words, its limits, how much was read."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import msgspec
import orjson

from xget_sources.ports import Outcome
from xget_sources.x.parser.outlines import outline
from xget_sources.x.parser.values import as_dict, as_list, as_text
from xget_sources.x_api.client.calls import Call

_EPOCH: Final = datetime.fromtimestamp(0, UTC)
_MAX_TEXT: Final = 300
CAPPED: Final = "usage-capped"
FORBIDDEN: Final = "client-forbidden"
LOST: Final = "renewal-lost"
"""Our own word, where X says no more than that a refresh token is not good."""


WINDOWS: Final = ("x-rate-limit", "x-app-limit-24hour", "x-user-limit-24hour")
"""How headers that tell of a window begin."""


class Window(msgspec.Struct, frozen=True):
    """What headers tell of one; -1 and None: they do not say."""

    limit: int = -1
    remaining: int = -1
    reset_at: datetime | None = None


class Seen(msgspec.Struct, kw_only=True):
    """One answer. `payload` is the decoded object, None for anything else; `now` is the API's clock."""

    outcome: Outcome
    fetched_at: datetime
    body: bytes = b""
    payload: dict[str, Any] | None = None
    problem: str = ""
    """Last word of the problem's type: usage-capped, client-forbidden, invalid-request…"""
    says: list[str] = []
    verdict: str = ""
    """The action that the session has answered the report with."""
    now: datetime | None = None

    @property
    def good(self) -> bool:
        """Data, or errors about what was asked for."""
        return self.outcome.status == 200 and self.payload is not None


def observe(
    call: Call, status: int, headers: Mapping[str, str], body: bytes, *, fetched_at: datetime, duration_ms: int
) -> Seen:
    """Read an answer."""
    kind, payload = _read(headers.get("content-type", ""), body)
    problem = (as_text((payload or {}).get("type")) or "").partition("/problems/")[2].lower()
    says = _says(payload) if status != 200 else []
    named = "problem" if status != 200 and payload is not None else kind
    window = _tightest(headers)
    return Seen(
        outcome=Outcome(
            operation=call.operation,
            status=status,
            body_kind=f"{named}:{problem}" if problem and named == "problem" else named,
            error_text="; ".join(says)[:_MAX_TEXT],
            limit=window.limit,
            remaining=window.remaining,
            reset_at=window.reset_at,
            bytes=len(body),
            duration_ms=duration_ms,
            outline="" if status == 200 and (payload or {}).get("data") else outline(payload),
            has_data=status == 200 and bool((payload or {}).get("data")),
            units=0 if call.bare else _units(payload, status),
        ),
        fetched_at=fetched_at,
        body=body,
        payload=payload,
        problem=problem,
        says=says,
        now=_date(headers.get("date")),
    )


def broken(call: Call, why: str, *, fetched_at: datetime, duration_ms: int, sent: bool = True) -> Seen:
    """No answer came. What was held for a request that was sent stays spent: nobody knows what X has counted."""
    outcome = Outcome(
        operation=call.operation,
        status=0,
        body_kind="empty",
        error_text=why[:_MAX_TEXT],
        duration_ms=duration_ms,
        units=-1 if sent else 0,
    )
    return Seen(outcome=outcome, fetched_at=fetched_at)


def _read(content_type: str, body: bytes) -> tuple[str, dict[str, Any] | None]:
    head = body.lstrip()[:1]
    if not head:
        return "empty", None
    if "text/html" in content_type or head == b"<":
        return "html", None
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        return "other", None
    return ("json", found) if type(found) is dict else ("other", None)


def _says(payload: dict[str, Any] | None) -> list[str]:
    """The sentences of a problem, the most particular first."""
    body = payload or {}
    listed = [as_text(as_dict(error).get("message")) for error in as_list(body.get("errors"))]
    own = as_text(body.get("detail")) or as_text(body.get("title")) or as_text(body.get("error_description"))
    return list(dict.fromkeys(text for text in [*listed, own] if text))


def _units(payload: dict[str, Any] | None, status: int) -> int:
    """What was read and costs: the results themselves. What came along with them costs nothing."""
    if status != 200 or payload is None:
        return -1 if status == 200 else 0
    data = payload.get("data")
    return len(data) if type(data) is list else int(type(data) is dict)


def _tightest(headers: Mapping[str, str]) -> Window:
    """The window with the least room; of several the one that is shut longest."""
    told = [
        Window(_number(headers.get(f"{name}-limit")), left, _moment(headers.get(f"{name}-reset")))
        for name in WINDOWS
        if (left := _number(headers.get(f"{name}-remaining"))) >= 0
    ]
    return min(told, key=lambda one: (one.remaining, -(one.reset_at or _EPOCH).timestamp()), default=Window())


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 12 else -1


def _moment(text: str | None) -> datetime | None:
    seconds = _number(text)
    with contextlib.suppress(ValueError, OverflowError):
        return datetime.fromtimestamp(seconds, UTC) if seconds > 0 else None
    return None


def _date(text: str | None) -> datetime | None:
    with contextlib.suppress(ValueError, TypeError):
        moment = parsedate_to_datetime(text or "")
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    return None
