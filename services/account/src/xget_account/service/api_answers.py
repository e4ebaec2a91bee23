"""What an answer of an official API means for the account that got it: its problems are not those of the web."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from xget_account.models import NEEDS_LOGIN
from xget_account.service.playbook import GO_ON, REST, Answer, Decision, Rule

_QUARTER: Final = timedelta(minutes=15)
_DAY: Final = timedelta(days=1)
GOOD: Final = Rule(name="api_answer", action=GO_ON)
CAPPED: Final = Rule(
    name="api_usage_capped", action=REST, everything=True, sentence="X says that its month's posts are used up."
)
LIMITED: Final = Rule(name="api_rate_limit", action=REST)
UNKNOWN_TOKEN: Final = Rule(
    name="api_token_refused",
    action="relogin",
    set_status=NEEDS_LOGIN,
    sentence="X's API does not take its token (401): give a new one with `xget accounts api NAME`.",
)
NOT_IN_PLAN: Final = Rule(
    name="api_not_in_plan", action=REST, sentence="Its plan of X's API does not have this operation."
)


def decide(answer: Answer, now: datetime) -> Decision:
    """The decision for one answer at a time (UTC)."""
    if answer.status == 429 and answer.body_kind == "problem:usage-capped":
        return Decision(CAPPED, _next_month(now))
    if answer.status == 429:
        reset = answer.reset_at or now + _QUARTER
        return Decision(LIMITED, min(max(reset, now + timedelta(seconds=1)), now + _DAY))
    if answer.status == 401:
        return Decision(UNKNOWN_TOKEN)
    if answer.status == 403:
        return Decision(NOT_IN_PLAN, now + _DAY)
    if answer.status == 200 and answer.remaining == 0 and answer.reset_at is not None:
        return Decision(LIMITED, min(answer.reset_at, now + _DAY), clears_error=True)
    return Decision(GOOD, clears_error=answer.status == 200)


def _next_month(now: datetime) -> datetime:
    first = now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return (first + timedelta(days=32)).replace(day=1)
