"""What a login can come to, and what that means for the account."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from xget_account.models import ACTIVE, NEEDS_HUMAN, NEEDS_LOGIN, SUSPENDED
from xget_account.ports import LOGGED_IN


@dataclass(frozen=True)
class Outcome:
    """`state` is where the account goes; `again` whether the worker tries again by itself without a change."""

    state: str
    again: bool = False
    next_step: str = ""
    pause: timedelta = timedelta(0)
    """Waited at least before the next try."""
    most: int = 0
    """With so many failures in a row it is not tried again by itself; 0 for no end but the day's cap."""

    def goes_on(self, failures: int) -> bool:
        """Whether the worker tries again by itself after so many failures in a row."""
        return self.again and not 0 < self.most <= failures


_SECRET: Final = Outcome(NEEDS_LOGIN, next_step="give_secret")
_AGAIN: Final = Outcome(NEEDS_LOGIN, again=True, next_step="wait")
_CODE: Final = Outcome(NEEDS_LOGIN, again=True, next_step="wait", most=2)
_HUMAN: Final = Outcome(NEEDS_HUMAN, next_step="assist")

OUTCOMES: Final = {
    LOGGED_IN: Outcome(ACTIVE),
    "wrong_password": _SECRET,
    "wrong_totp": _SECRET,
    "unknown_name": _SECRET,
    "missing_secret": _SECRET,
    "key_lost": Outcome(NEEDS_LOGIN, again=True, next_step="give_key"),
    "mail_refused": _SECRET,
    "mail_away": Outcome(NEEDS_LOGIN, next_step="login"),
    "no_code": _CODE,
    "wrong_code": _CODE,
    "challenge": _HUMAN,
    "denied": _HUMAN,
    "unknown_step": _HUMAN,
    "given_up": _HUMAN,
    "suspended": Outcome(SUSPENDED, next_step="look"),
    "too_many": Outcome(NEEDS_LOGIN, again=True, next_step="wait", pause=timedelta(hours=2)),
    "network": _AGAIN,
    "timed_out": _AGAIN,
    "no_browser": _AGAIN,
    "browser_crashed": _AGAIN,
    "browser_too_big": _AGAIN,
    "interrupted": _AGAIN,
    "failed": _AGAIN,
}
"""By word. A try that fails never takes the session of a healthy account away, unless it is suspended."""

PAUSES: Final = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 360))
"""Before the second try, the third, …; the last for all further ones."""


def pause_after(failures: int, outcome: Outcome) -> timedelta:
    """How long the worker waits after so many failed tries in a row."""
    return max(PAUSES[min(max(failures, 1), len(PAUSES)) - 1], outcome.pause)
