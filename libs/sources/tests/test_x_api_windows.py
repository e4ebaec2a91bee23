"""Of several windows that the API tells of, the one that stands in the way is learned."""

from datetime import UTC, datetime

import pytest

from xget_sources.x_api.client.calls import Call
from xget_sources.x_api.client.judgement import judge
from xget_sources.x_api.client.observation import observe

CALL = Call(operation="usersIdFollowers", path="users/1/followers", kind="users", units=10)
SOON, TOMORROW = 1_790_000_900, 1_790_080_000


def headers(quarter: int, day: int) -> dict[str, str]:
    return {
        "content-type": "application/json",
        "x-rate-limit-limit": "15",
        "x-rate-limit-remaining": str(quarter),
        "x-rate-limit-reset": str(SOON),
        "x-app-limit-24hour-limit": "100",
        "x-app-limit-24hour-remaining": str(day),
        "x-app-limit-24hour-reset": str(TOMORROW),
    }


@pytest.mark.parametrize(
    ("quarter", "day", "limit", "reset"), [(3, 50, 15, SOON), (3, 2, 100, TOMORROW), (0, 0, 100, TOMORROW)]
)
def test_the_tightest_window_is_learned_and_of_two_that_are_shut_the_longer_one(
    quarter: int, day: int, limit: int, reset: int
) -> None:
    seen = observe(CALL, 200, headers(quarter, day), b'{"data": []}', fetched_at=datetime.now(UTC), duration_ms=1)
    told = seen.outcome
    assert (told.limit, told.remaining) == (limit, min(quarter, day))
    assert told.reset_at == datetime.fromtimestamp(reset, UTC)


@pytest.mark.parametrize("status", [403, 429])
def test_a_spent_month_is_told_as_that_by_either_status(status: int) -> None:
    body = b'{"title": "UsageCapExceeded", "type": "https://api.twitter.com/2/problems/usage-capped"}'
    seen = observe(CALL, status, headers(9, 9), body, fetched_at=datetime.now(UTC), duration_ms=1)
    judged = judge(seen)
    assert (judged.action, judged.reason) == ("rotate", "rate_limited_out")
    assert "month's posts" in judged.detail
