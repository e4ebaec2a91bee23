"""What to do after an answer: use it, try another account, ask again, or stop with a sentence."""

from __future__ import annotations

from typing import Literal

import msgspec

from xget_sources.x.client.observation import Observation

Action = Literal["use", "rotate", "again", "stop"]

# Rate limit, account suspended, not authenticated, denied by access control, bad or expired token, account locked,
# CSRF cookie. (63, somebody else suspended, is about what was asked for.)
_ACCOUNT_CODES = frozenset({32, 37, 64, 88, 89, 141, 215, 226, 326, 353, 366, 398, 399})
_RESTING = frozenset({88, 226, 366})
"""Too many requests, automated behaviour, login shut: another account may be answered."""
_BUSY_CODES = frozenset({29, 130, 131})
_OUTDATED = 336
_BAD_REQUEST = 214
"""Also for a cursor that has grown too old."""
_OF_TARGET = frozenset({17, 34, 50, 63, 108, 144, 179})
"""User or post missing, suspended or not for this account: `xget_sources.x.missing` says which."""


class Judgement(msgspec.Struct, frozen=True):
    """The action; for `rotate`, `again` and `stop` also the end reason and sentence should it come to that."""

    action: Action
    reason: str = ""
    detail: str = ""
    retryable: bool = False
    bad_request: bool = False
    """X does not take the request as it is; with a cursor, it is that."""
    unknown: bool = False
    """Nobody knows the answer: no account is to blame, and none helps."""


USE = Judgement("use")


def judge(seen: Observation) -> Judgement:
    """Judge one answer of X: what concerns the account is the session's verdict, if it has given one."""
    outcome = seen.outcome
    said = f" ({outcome.error_text})" if outcome.error_text else ""
    if outcome.body_kind == "no_instructions" and outcome.status == 200:
        return Judgement("again", "source_error", "X gave a timeline without any instruction.", retryable=True)
    if outcome.status == 0:
        return Judgement("again", "source_error", f"The connection to X broke{said}.", retryable=True)
    if seen.blocked or 300 <= outcome.status < 400:
        return Judgement(
            "rotate", "blocked", f"X's gate answered with a page of its own instead of data (HTTP {outcome.status})."
        )
    if seen.has_data and outcome.status == 200:
        return USE
    return _without_data(seen, said)


def _without_data(seen: Observation, said: str) -> Judgement:
    codes = seen.outcome.error_codes
    missing = bool(_OF_TARGET & set(codes)) or seen.outcome.error_text.startswith("_Missing")
    if missing and not _ACCOUNT_CODES & set(codes) and seen.outcome.status != 429:
        return USE  # nothing there: the task says what is missing
    verdict = _of_verdict(seen, said) or _of_account(seen, said) or _unknown(seen, said) or _of_moment(seen, said)
    if verdict is None and seen.outcome.status == 200 and not codes:
        return USE  # as above
    return verdict or _of_request(seen, said)


def _of_verdict(seen: Observation, said: str) -> Judgement | None:
    """What the playbook has decided."""
    status, codes = seen.outcome.status, seen.outcome.error_codes
    if seen.verdict in ("relogin", "human", "quarantine"):
        return Judgement("rotate", "no_account", f"X refuses the accounts tried (HTTP {status}){said}.")
    if seen.verdict == "rest" and (status == 429 or set(codes) & _RESTING):
        return Judgement(
            "rotate", "rate_limited_out", f"X limits the rate of all accounts tried{said}.", retryable=True
        )
    if seen.verdict in ("retry", "refresh") and status != 404:
        return Judgement("again", "source_error", f"X is busy (HTTP {status}){said}.", retryable=True)
    return None


def _unknown(seen: Observation, said: str) -> Judgement | None:
    """An answer that nobody knows: another account is tried once, then the run ends and says so."""
    if seen.verdict != "rest" or seen.outcome.status == 404:
        return None
    status, codes = seen.outcome.status, seen.outcome.error_codes
    listed = f"error {', '.join(map(str, sorted(codes)))}" if codes else f"HTTP {status}"
    return Judgement("again", "source_error", f"X answered with {listed} and no data{said}.", unknown=True)


def _of_account(seen: Observation, said: str) -> Judgement | None:
    """Another account may be answered."""
    status, codes = seen.outcome.status, set(seen.outcome.error_codes)
    if status == 429 or codes & _RESTING:
        return Judgement(
            "rotate", "rate_limited_out", f"X limits the rate of all accounts tried{said}.", retryable=True
        )
    if codes & _ACCOUNT_CODES or status in (401, 403):
        return Judgement("rotate", "no_account", f"X refuses the accounts tried (HTTP {status}){said}.")
    return None


def _of_moment(seen: Observation, said: str) -> Judgement | None:
    """The same request may be answered a moment later."""
    outcome = seen.outcome
    if outcome.status == 404:
        return None
    if seen.malformed:
        return Judgement("again", "source_error", "X's answer is not readable JSON.", retryable=True)
    busy = "LoadShed" in outcome.error_text or bool(_BUSY_CODES & set(outcome.error_codes)) or outcome.status >= 500
    if busy or outcome.body_kind in ("empty", "other"):
        return Judgement("again", "source_error", f"X is busy (HTTP {outcome.status}){said}.", retryable=True)
    return None


def _of_request(seen: Observation, said: str) -> Judgement:
    """Asking again cannot help."""
    status, codes = seen.outcome.status, seen.outcome.error_codes
    if _OUTDATED in codes:
        return Judgement("stop", "source_error", f"X asks for request features that twscrape does not know{said}.")
    if codes:
        listed = ", ".join(map(str, sorted(codes)))
        return Judgement(
            "stop",
            "source_error",
            f"X answered with error {listed} and no data{said}.",
            bad_request=_BAD_REQUEST in codes,
        )
    if status == 404:
        return Judgement("stop", "source_error", "X does not know the operation, or no longer signs it so (HTTP 404).")
    return Judgement("stop", "source_error", f"X answered with HTTP {status} and no data.")
