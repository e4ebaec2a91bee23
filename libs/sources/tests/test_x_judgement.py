"""What an answer of X means: each kind of refusal leads to its own action and end."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from xget_sources.x.client.judgement import judge
from xget_sources.x.client.observation import broken, observe

JSON = {"content-type": "application/json; charset=utf-8"}
HTML = {"content-type": "text/html"}


def answer(status: int, body: Any, headers: dict[str, str] = JSON) -> Any:
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    return observe("Op", status, headers, raw, variables={}, fetched_at=datetime.now(UTC), duration_ms=1)


def error(code: int, message: str = "No.", data: Any = None) -> dict[str, Any]:
    return {"errors": [{"code": code, "message": message}]} | ({"data": data} if data is not None else {})


@pytest.mark.parametrize(
    ("seen", "action", "reason", "retryable"),
    [
        (answer(200, {"data": {"user": {}}}), "use", "", False),
        (answer(200, error(131, data={"user": {}})), "use", "", False),
        (answer(200, {"data": {}}), "use", "", False),
        (answer(200, error(144, "_Missing: No status found with that ID.")), "use", "", False),
        (answer(429, b"Rate limit exceeded", {"content-type": "text/plain"}), "rotate", "rate_limited_out", True),
        (answer(200, error(88, "Rate limit exceeded")), "rotate", "rate_limited_out", True),
        (answer(200, error(64, "Your account is suspended")), "rotate", "no_account", False),
        (answer(401, error(32)), "rotate", "no_account", False),
        (answer(403, {}), "rotate", "no_account", False),
        (answer(403, error(326)), "rotate", "no_account", False),
        (answer(403, b"<html>Just a moment...", HTML), "rotate", "blocked", False),
        (answer(200, b"<!DOCTYPE html>", HTML), "rotate", "blocked", False),
        (answer(302, b""), "rotate", "blocked", False),
        (answer(502, b"<html>Bad gateway", HTML), "again", "source_error", True),
        (answer(503, error(130, "Over capacity")), "again", "source_error", True),
        (answer(200, {"errors": [{"message": "LoadShed: dropped"}]}), "again", "source_error", True),
        (answer(200, b'{"data": {"us'), "again", "source_error", True),
        (answer(200, b""), "again", "source_error", True),
        (broken("Op", "ReadError", fetched_at=datetime.now(UTC), duration_ms=1), "again", "source_error", True),
        (answer(400, error(336, "The following features cannot be null: x")), "stop", "source_error", False),
        (answer(200, error(999, "Strange")), "stop", "source_error", False),
        (answer(404, b""), "stop", "source_error", False),
        (answer(418, {}), "stop", "source_error", False),
    ],
)
def test_an_answer_leads_to_its_action(seen: Any, action: str, reason: str, retryable: bool) -> None:
    verdict = judge(seen)
    assert (verdict.action, verdict.reason, verdict.retryable) == (action, reason, retryable)
    assert verdict.detail.endswith(".") == (action != "use")


def test_an_unknown_error_is_named_by_its_code() -> None:
    assert judge(answer(200, error(999, "Strange"))).detail == "X answered with error 999 and no data (Strange)."


@pytest.mark.parametrize(
    "errors", [None, 5, "x", [None], [5], [{"code": None, "message": None}], [{"code": "88"}], [{}], {"code": 88}]
)
def test_errors_of_any_shape_are_read(errors: Any) -> None:
    seen = answer(200, {"errors": errors})
    assert all(isinstance(code, int) for code in seen.outcome.error_codes)
    assert judge(seen).action


@pytest.mark.parametrize("value", ["", "x", "-5", "99999999999999", "1e9"])
def test_limit_headers_of_any_shape_are_read(value: str) -> None:
    names = ("x-rate-limit-limit", "x-rate-limit-remaining", "x-rate-limit-reset")
    seen = answer(200, {"data": {"a": 1}}, JSON | dict.fromkeys(names, value))
    assert (seen.outcome.limit, seen.outcome.remaining, seen.outcome.reset_at) == (-1, -1, None)
