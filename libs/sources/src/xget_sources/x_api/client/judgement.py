"""What to do after an answer of the API: use it, try another account, ask again, or stop with a sentence."""

from __future__ import annotations

from typing import Literal

import msgspec

from xget_sources.ports import SourceStopped
from xget_sources.x_api.client.observation import CAPPED, FORBIDDEN, Seen

Action = Literal["use", "rotate", "again", "stop"]


class Judgement(msgspec.Struct, frozen=True):
    """The action; for all but `use` also the end reason and sentence should it come to that."""

    action: Action
    reason: str = ""
    detail: str = ""
    retryable: bool = False


class BadRequest(SourceStopped):
    """The API does not take the request as it is; `says` are its own sentences."""

    def __init__(self, says: list[str]) -> None:
        told = " ".join(says) or "without a word"
        super().__init__("source_error", f"X's API refuses the request: {told}")
        self.says = says


USE = Judgement("use")


def judge(seen: Seen) -> Judgement:
    """Judge one answer: what concerns the account is the session's verdict, if it has given one."""
    outcome = seen.outcome
    said = f" ({outcome.error_text})" if outcome.error_text else ""
    if seen.good:
        return USE
    if outcome.status == 0:
        return Judgement("again", "source_error", f"The connection to X's API broke{said}.", retryable=True)
    if outcome.body_kind == "html" and outcome.status < 500:
        return Judgement(
            "rotate", "blocked", f"A gate before X's API answered with a page of its own (HTTP {outcome.status})."
        )
    if outcome.status >= 500 or outcome.status == 200 or seen.verdict in ("retry", "refresh"):
        what = "not readable" if outcome.status == 200 else f"HTTP {outcome.status}"
        return Judgement("again", "source_error", f"X's API is busy or broken ({what}){said}.", retryable=True)
    return _refused(seen, said)


def _refused(seen: Seen, said: str) -> Judgement:
    status = seen.outcome.status
    if status == 402 or seen.problem == CAPPED:
        used_up = "The credits of X's API" if status == 402 else "The month's posts of X's API"
        return Judgement("rotate", "rate_limited_out", f"{used_up} are used up{said}.")
    if status == 429:
        return Judgement(
            "rotate", "rate_limited_out", f"X's API limits the rate of all accounts tried{said}.", retryable=True
        )
    if status in (401, 403) or seen.verdict in ("relogin", "human", "quarantine"):
        return Judgement("rotate", "no_account", f"{_why(seen)}{said}.")
    unknown = seen.verdict == "rest"  # nobody knows the answer: another account is tried once
    return Judgement("again" if unknown else "stop", "source_error", f"X's API answered with HTTP {status}{said}.")


def _why(seen: Seen) -> str:
    if seen.outcome.status == 401:
        return "X's API does not take the token of the accounts tried"
    if seen.problem == FORBIDDEN:
        return f"The plan of the accounts tried does not have {seen.outcome.operation}"
    return "X's API refuses the accounts tried"
