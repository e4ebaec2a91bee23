"""What a limiter allows."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from xget_cache.ports import Quota, Verdict
from xget_kernel.ids import new_id

YEAR = 365 * 86400
"""Windows that do not end during a test, also where time is the server's."""
QUOTAS = st.lists(
    st.tuples(st.integers(0, 6), st.sampled_from([YEAR, 2 * YEAR, 3 * YEAR])),
    min_size=1,
    max_size=3,
    unique_by=lambda pair: pair[1],
)
TAKES = st.lists(st.tuples(st.sampled_from(["a", "b", "{c} 北"]), QUOTAS), max_size=25)


class LimiterContract:
    """`house.limiter`."""

    async def test_room_shrinks_to_nothing_and_then_it_says_no(self, house: Any) -> None:
        quota = [Quota(3, YEAR)]
        found = [await house.limiter.take("s", quota) for _ in range(5)]
        assert [(one.allowed, one.remaining) for one in found] == [
            (True, 2),
            (True, 1),
            (True, 0),
            (False, 0),
            (False, 0),
        ]
        assert {one.limit for one in found} == {3}
        assert all(1 <= one.reset_seconds <= YEAR for one in found)

    async def test_subjects_do_not_share(self, house: Any) -> None:
        quota = [Quota(1, YEAR)]
        assert [(await house.limiter.take(name, quota)).allowed for name in ("a", "b", "a", "b")] == [
            True,
            True,
            False,
            False,
        ]

    async def test_a_refusal_counts_nowhere(self, house: Any) -> None:
        both = [Quota(1, YEAR), Quota(10, 2 * YEAR)]
        for _ in range(5):
            await house.limiter.take("s", both)
        assert (await house.limiter.take("s", [Quota(10, 2 * YEAR)])).remaining == 8

    async def test_a_new_window_has_room_again(self, house: Any, pass_time: Any) -> None:
        quota = [Quota(2, 1), Quota(100, YEAR)]
        taken = 0
        while (await house.limiter.take("s", quota)).allowed:
            assert (taken := taken + 1) < 50, "windows end, but not as fast as that"
        await pass_time(1.05)
        again = await house.limiter.take("s", quota)
        assert again.allowed

    async def test_many_at_once_get_exactly_the_limit(self, house: Any) -> None:
        quotas = [Quota(20, YEAR), Quota(30, 2 * YEAR)]
        found = await asyncio.gather(*(house.limiter.take("s", quotas) for _ in range(60)))
        assert sum(one.allowed for one in found) == 20
        assert sorted(one.remaining for one in found if one.allowed) == list(range(20))

    @settings(
        max_examples=40,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
    )
    @given(takes=TAKES)
    async def test_it_does_what_the_model_does(self, house: Any, takes: Any) -> None:
        model: dict[tuple[str, int], int] = {}
        run = new_id()
        for subject, pairs in takes:
            quotas = [Quota(limit, seconds) for limit, seconds in pairs]
            verdict = await house.limiter.take(f"{run}{subject}", quotas)
            check_against(model, subject, quotas, verdict)

    @pytest.mark.parametrize("limit", [0, -1])
    async def test_a_limit_of_nothing_allows_nothing(self, house: Any, limit: int) -> None:
        verdict = await house.limiter.take("s", [Quota(limit, YEAR)])
        assert (verdict.allowed, verdict.remaining) == (False, 0)


def check_against(model: dict[tuple[str, int], int], subject: str, quotas: list[Quota], verdict: Verdict) -> None:
    """Compare with plain counting, and count."""
    left = {quota: quota.limit - model.get((subject, quota.seconds), 0) for quota in quotas}
    assert verdict.allowed == all(room > 0 for room in left.values())
    if not verdict.allowed:
        assert verdict.remaining == 0
        assert verdict.limit in {quota.limit for quota, room in left.items() if room <= 0}
        return
    assert verdict.remaining == min(left.values()) - 1
    assert left[next(q for q in quotas if q.limit == verdict.limit)] >= verdict.remaining
    for quota in quotas:
        model[subject, quota.seconds] = model.get((subject, quota.seconds), 0) + 1
