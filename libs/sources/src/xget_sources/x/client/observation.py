"""What an answer of X was, read once and kept for the judgement, the ledger and the page."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
import orjson

from xget_sources.ports import Outcome
from xget_sources.x.client.kinds import WALLS, exactly, has_data, outline
from xget_sources.x.parser.decoding import decode

_MAX_TEXT = 300
_MALFORMED = object()


class Observation(msgspec.Struct, kw_only=True):
    """One GraphQL answer. `payload` is None unless the body is JSON; `blocked` marks a wall of HTML before X."""

    outcome: Outcome
    fetched_at: datetime
    variables: dict[str, Any] = {}
    body: bytes = b""
    payload: Any = None
    malformed: bool = False
    blocked: bool = False
    verdict: str = ""
    """What the session made of it; empty before it was reported."""

    @property
    def has_data(self) -> bool:
        """The answer carries at least one object: X may add errors to it."""
        return has_data(self.payload)


def observe(
    operation: str,
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    *,
    variables: dict[str, Any],
    fetched_at: datetime,
    duration_ms: int,
) -> Observation:
    """Read an answer: body kind, error codes and texts, limit headers."""
    kind, payload = _read(headers.get("content-type", ""), body)
    codes, texts = _errors(payload)
    good = has_data(payload)
    kind = exactly(kind, status, headers, body, payload)
    outcome = Outcome(
        operation=operation,
        status=status,
        body_kind=kind,
        error_codes=codes,
        error_text="; ".join(texts)[:_MAX_TEXT],
        limit=_number(headers.get("x-rate-limit-limit")),
        remaining=_number(headers.get("x-rate-limit-remaining")),
        reset_at=_moment(headers.get("x-rate-limit-reset")),
        bytes=len(body),
        duration_ms=duration_ms,
        has_data=good,
        outline="" if good else outline(payload if kind == "json" else None, body if kind == "html" else b""),
    )
    return Observation(
        outcome=outcome,
        fetched_at=fetched_at,
        variables=variables,
        body=body,
        payload=None if payload is _MALFORMED else payload,
        malformed=payload is _MALFORMED,
        blocked=kind in WALLS and status < 500 and status != 404,
    )


def broken(
    operation: str, why: str, *, fetched_at: datetime, duration_ms: int, status: int = 0, kind: str = "empty"
) -> Observation:
    """No answer came, or none that could be read to its end."""
    outcome = Outcome(
        operation=operation, status=status, body_kind=kind, error_text=why[:_MAX_TEXT], duration_ms=duration_ms
    )
    return Observation(outcome=outcome, fetched_at=fetched_at)


def _read(content_type: str, body: bytes) -> tuple[str, Any]:
    if not body.strip():
        return "empty", None
    head = body.lstrip()[:1]
    if "text/html" in content_type or head == b"<":
        return "html", None
    if "json" in content_type or head in b"{[":
        try:
            return "json", decode(body)
        except ValueError:
            return "other", _MALFORMED
    return "other", None


def _errors(payload: Any) -> tuple[list[int], list[str]]:
    """Codes and texts of X's errors; -1 is its own "no code" (LoadShed)."""
    codes: list[int] = []
    texts: list[str] = []
    listed = payload.get("errors") if type(payload) is dict else None
    for error in listed if type(listed) is list else []:
        if type(error) is not dict:
            continue
        code, text = error.get("code", -1), error.get("message")
        if type(code) is int and code not in codes:
            codes.append(code)
        if type(text) is str and text not in texts:
            texts.append(text)
    return codes, texts


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 12 else -1


def _moment(text: str | None) -> datetime | None:
    seconds = _number(text)
    with contextlib.suppress(ValueError, OverflowError):
        return datetime.fromtimestamp(seconds, UTC) if seconds > 0 else None
    return None


def variables_of(params: Any) -> dict[str, Any]:
    """The GraphQL variables of a request: what was asked, without features and tokens."""
    try:
        variables = orjson.loads(params["variables"])
    except (KeyError, TypeError, orjson.JSONDecodeError):
        return {}
    return variables if type(variables) is dict else {}
