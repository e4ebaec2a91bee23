"""When a breaker opens, refuses, probes and closes."""

import asyncio

import pytest

from xget_kernel.breaker import Breaker, CircuitOpen, State
from xget_kernel.clock import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def told() -> list[State]:
    return []


@pytest.fixture
def breaker(clock: ManualClock, told: list[State]) -> Breaker:
    return Breaker("The toy", failures=(OSError,), threshold=3, rest=10, clock=clock, on_change=told.append)


def fail(breaker: Breaker, times: int = 1, error: type[BaseException] = OSError) -> None:
    for _ in range(times):
        with pytest.raises(error), breaker.guard():
            raise error


def pass_through(breaker: Breaker) -> None:
    with breaker.guard():
        return


def test_failures_in_a_row_open_it_and_it_says_when_to_come_back(breaker: Breaker) -> None:
    fail(breaker, 3)
    with pytest.raises(CircuitOpen) as refused, breaker.guard():
        pytest.fail("nothing may be sent")
    assert 8 <= int(refused.value.headers["Retry-After"]) <= 12
    assert refused.value.status == 503
    assert (breaker.trouble() or "").startswith("The toy does not answer; it is tried again in ")


def test_an_answer_between_failures_keeps_it_closed(breaker: Breaker) -> None:
    for _ in range(5):
        fail(breaker, 2)
        pass_through(breaker)
    assert breaker.state == "closed"
    assert breaker.trouble() is None


def test_other_errors_show_that_the_peer_answers(breaker: Breaker) -> None:
    fail(breaker, 10, ValueError)
    fail(breaker, 2)
    fail(breaker, 1, ValueError)
    fail(breaker, 2)
    assert breaker.state == "closed"


def test_after_the_rest_one_call_probes_and_the_others_are_refused(breaker: Breaker, clock: ManualClock) -> None:
    fail(breaker, 3)
    clock.advance(13)
    with breaker.guard():
        assert breaker.state == "half-open"
        with pytest.raises(CircuitOpen), breaker.guard():
            pytest.fail("one probe at a time")
    assert breaker.state == "closed"


def test_a_failed_probe_opens_it_again(breaker: Breaker, clock: ManualClock, told: list[State]) -> None:
    fail(breaker, 3)
    clock.advance(13)
    fail(breaker)
    assert breaker.state == "open"
    with pytest.raises(CircuitOpen):
        pass_through(breaker)
    clock.advance(13)
    pass_through(breaker)
    assert told == ["open", "half-open", "open", "half-open", "closed"]


def test_a_cancelled_probe_decides_nothing_and_frees_its_place(breaker: Breaker, clock: ManualClock) -> None:
    fail(breaker, 3)
    clock.advance(13)
    fail(breaker, 1, asyncio.CancelledError)
    assert breaker.state == "half-open"
    pass_through(breaker)
    assert breaker.state == "closed"


def test_a_straggler_that_fails_while_open_does_not_lengthen_the_rest(breaker: Breaker, clock: ManualClock) -> None:
    straggler = breaker.guard()
    straggler.__enter__()
    fail(breaker, 3)
    clock.advance(7)
    assert not straggler.__exit__(OSError, OSError(), None)
    clock.advance(6)
    pass_through(breaker)
    assert breaker.state == "closed"


def test_it_tells_how_long_it_rests(breaker: Breaker, clock: ManualClock) -> None:
    assert breaker.seconds_left == 0
    fail(breaker, 3)
    assert 8 <= breaker.seconds_left <= 12
    clock.advance(13)
    assert (breaker.seconds_left, breaker.trouble()) == (0, None)
