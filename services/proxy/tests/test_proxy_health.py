"""Failures make growing pauses, successes end them; measurements follow what is seen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from xget_proxy.models import ACTIVE, CHECKING, INACTIVE, Proxy
from xget_proxy.service.health import failed, state, succeeded
from xget_proxy.service.proxies import fresh

NOW = datetime(2026, 11, 5, tzinfo=UTC)


def new() -> Proxy:
    return fresh("ada", ("http", "10.0.0.1", 80, ""), NOW)


def test_the_third_failure_in_a_row_pauses_and_each_trial_doubles_it() -> None:
    proxy, now, pauses = new(), NOW, []
    for _ in range(2):
        failed(proxy, "broken", now)
        assert state(proxy, now) == ACTIVE
    for _ in range(9):
        failed(proxy, "broken", now)
        assert state(proxy, now) == INACTIVE
        assert proxy.pause_until is not None
        pauses.append((proxy.pause_until - now) // timedelta(minutes=1))
        failed(proxy, "late words of others", now)
        assert (proxy.pause_until - now) // timedelta(minutes=1) == pauses[-1]
        now = proxy.pause_until
        assert state(proxy, now) == CHECKING
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    succeeded(proxy, 100.0, now)
    assert (state(proxy, now), proxy.failures, proxy.pauses, proxy.error_msg) == (ACTIVE, 0, 0, None)


def test_a_proxy_that_a_person_switched_off_stays_off() -> None:
    proxy = new()
    proxy.status = INACTIVE
    succeeded(proxy, 100.0, NOW)
    for _ in range(5):
        failed(proxy, "x", NOW)
    assert (state(proxy, NOW + timedelta(days=9)), proxy.pause_until) == (INACTIVE, None)


@given(st.lists(st.one_of(st.none(), st.floats(0, 60_000)), min_size=1))
def test_measurements_stay_within_what_was_seen(results: list[float | None]) -> None:
    proxy = new()
    for latency in results:
        if latency is None:
            failed(proxy, "x", NOW)
        else:
            succeeded(proxy, latency, NOW)
    assert proxy.success_rate is not None
    assert 0 <= proxy.success_rate <= 1
    seen = [latency for latency in results if latency is not None]
    if seen:
        assert proxy.latency is not None
        assert min(seen) - 1e-6 <= proxy.latency <= max(seen) + 1e-6
