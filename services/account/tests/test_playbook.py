"""What each kind of answer does to an account."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xget_account.service.playbook import KINDS, Answer, packaged

BOOK = packaged()
NOW = datetime(2026, 11, 5, 12, tzinfo=UTC)
RESET = NOW + timedelta(minutes=7)


def answer(status: int = 200, codes: tuple[int, ...] = (), kind: str = "json", **more: object) -> Answer:
    return Answer(operation="Search", status=status, error_codes=frozenset(codes), body_kind=kind, **more)  # type: ignore[arg-type]  # shorthand of a test


@pytest.mark.parametrize(
    ("given_answer", "verdict", "minutes"),
    [
        (answer(), "go_on", None),
        (answer(remaining=3, reset_at=RESET), "go_on", None),
        (answer(remaining=0, reset_at=RESET), "rest", 7),
        (answer(remaining=0), "rest", 15),
        (answer(429, reset_at=RESET, remaining=0), "rest", 7),
        (answer(429), "rest", 15),
        (answer(429, (88,), remaining=20, reset_at=RESET), "rest", 15),
        (answer(200, (88,), remaining=20), "rest", 15),
        (answer(200, (88,), remaining=0, reset_at=RESET), "rest", 7),
        (answer(429, reset_at=NOW - timedelta(hours=1)), "rest", 1),
        (answer(429, reset_at=NOW + timedelta(days=9)), "rest", 24 * 60),
        (answer(200, (32,)), "relogin", None),
        (answer(401), "relogin", None),
        (answer(403), "relogin", None),
        (answer(403, (179,)), "go_on", None),
        (answer(403, kind="html"), "rest", 5),
        (answer(503, kind="html"), "go_on", None),
        (answer(503, kind="cloudflare"), "rest", 5),
        (answer(200, (64,)), "quarantine", None),
        (answer(403, (326,)), "quarantine", None),
        (answer(0, kind="empty"), "go_on", None),
        (answer(502, kind="other"), "go_on", None),
        (answer(200, (29,)), "go_on", None),
        (answer(404), "go_on", None),
    ],
)
def test_each_answer_has_its_consequence(given_answer: Answer, verdict: str, minutes: int | None) -> None:
    decision = BOOK.decide(given_answer, NOW)
    assert decision.verdict == verdict
    assert decision.rest_until == (NOW + timedelta(minutes=minutes) if minutes else None)


@pytest.mark.parametrize(
    ("given_answer", "rule", "action", "rest"),
    [
        (answer(), "api_answer", "go_on", None),
        (answer(has_data=True, remaining=0, reset_at=RESET), "api_data_and_window_spent", "rest", RESET),
        (answer(remaining=0, reset_at=RESET), "api_window_spent", "rest", RESET),
        (answer(429, kind="problem:usage-capped"), "api_usage_capped", "rest", datetime(2026, 12, 1, tzinfo=UTC)),
        (answer(403, kind="problem:usage-capped"), "api_usage_capped", "rest", datetime(2026, 12, 1, tzinfo=UTC)),
        (answer(429, kind="problem", reset_at=RESET), "api_too_many_requests", "rest", RESET),
        (answer(429, kind="problem", remaining=7, reset_at=RESET), "api_too_fast", "rest", NOW + timedelta(seconds=2)),
        (answer(403, kind="html"), "api_gate", "rotate_proxy", NOW + timedelta(minutes=5)),
        (answer(kind="other"), "api_unreadable", "retry", None),
        (answer(401, kind="problem"), "api_token_refused", "relogin", None),
        (answer(401, kind="problem:renewal-lost"), "api_renewal_lost", "relogin", None),
        (answer(402, kind="problem:credits"), "api_credits_depleted", "rest", NOW + timedelta(hours=1)),
        (answer(403, kind="problem:client-forbidden"), "api_not_in_plan", "rest", NOW + timedelta(days=1)),
        (answer(403, kind="problem:unsupported-authentication"), "api_wrong_kind_of_token", "rest", NOW + timedelta(1)),
        (answer(403, kind="problem:anything"), "api_forbidden", "rest", NOW + timedelta(days=1)),
        (answer(400, kind="problem:invalid-request"), "api_bad_request", "stop", None),
        (answer(404, kind="problem"), "api_not_found", "stop", None),
        (answer(503, kind="problem"), "api_server_error", "retry", None),
        (answer(0, kind="empty"), "api_connection_broke", "rotate_proxy", None),
        (answer(418, kind="problem"), "unknown", "rest", NOW + timedelta(minutes=2)),
    ],
)
def test_answers_of_the_official_api_have_rules_of_their_own(
    given_answer: Answer, rule: str, action: str, rest: datetime | None
) -> None:
    decision = BOOK.decide(given_answer, NOW, "x_api")
    assert (decision.rule.name, decision.action, decision.rest_until) == (rule, action, rest)
    assert decision.unknown == (rule == "unknown")


def test_only_the_cloudflare_page_rests_the_whole_account() -> None:
    assert BOOK.decide(answer(403, kind="html"), NOW).rule.everything
    assert not BOOK.decide(answer(429), NOW).rule.everything


def test_a_good_answer_clears_what_was_wrong_and_a_failed_one_does_not() -> None:
    assert BOOK.decide(answer(remaining=9), NOW).clears_error
    assert not BOOK.decide(answer(503, kind="other"), NOW).clears_error
    assert not BOOK.decide(answer(remaining=0), NOW).clears_error


@given(
    st.integers(-1, 999),
    st.frozensets(st.sampled_from([29, 32, 64, 88, 179, 226, 326, 353, 999])),
    st.sampled_from([*KINDS, "?"]),
    st.integers(-1, 50),
    st.none() | st.datetimes(datetime(2000, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)),
)
def test_every_answer_is_decided_and_every_rest_ends(
    status: int, codes: frozenset[int], kind: str, remaining: int, reset: datetime | None
) -> None:
    decision = BOOK.decide(
        Answer(operation="o", status=status, error_codes=codes, body_kind=kind, remaining=remaining, reset_at=reset),
        NOW,
    )
    assert decision.verdict in {"go_on", "rest", "relogin", "quarantine"}
    assert (decision.verdict == "rest") == (decision.rest_until is not None)
    if decision.rest_until:
        assert NOW < decision.rest_until <= NOW + timedelta(days=1)
