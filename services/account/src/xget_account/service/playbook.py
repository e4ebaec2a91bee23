"""What an answer of the platform means for the account that got it, as a table: the first row that fits decides."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from xget_account.models import NEEDS_HUMAN, NEEDS_LOGIN, SUSPENDED

GO_ON: Final = "go_on"
REST: Final = "rest"
RELOGIN: Final = "relogin"
QUARANTINE: Final = "quarantine"

LONGEST_REST = timedelta(hours=24)
SHORTEST_REST = timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One answer as observed. -1 and None: the answer did not say."""

    operation: str
    status: int
    """HTTP status; 0 when no answer came."""
    error_codes: frozenset[int] = frozenset()
    body_kind: str = "json"
    """json, html, empty, other."""
    limit: int = -1
    remaining: int = -1
    reset_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A row: all that is set must fit. `set_status` and `sentence` are what the account then shows."""

    verdict: str
    codes: frozenset[int] | None = None
    statuses: Iterable[int] | None = None
    html: bool | None = None
    no_codes: bool = False
    room: bool | None = None
    """True: `remaining` is above 0. False: it is 0. None: whatever it is."""
    rest: timedelta | None = None
    until_reset: bool = False
    """Rest until the answer's reset time when it has one, else for `rest`."""
    everything: bool = False
    """The account rests from all operations, not from this one only."""
    set_status: str | None = None
    sentence: str = ""

    def fits(self, answer: Answer) -> bool:
        """True when every condition of the row holds."""
        conditions = (
            self.codes is None or bool(self.codes & answer.error_codes),
            self.statuses is None or answer.status in self.statuses,
            self.html is None or (answer.body_kind == "html") == self.html,
            not self.no_codes or not answer.error_codes,
            self.room is None or (answer.remaining > 0 if self.room else answer.remaining == 0),
        )
        return all(conditions)


@dataclass(frozen=True)
class Decision:
    """What to do: the verdict for the caller, the rest and status for the account."""

    rule: Rule
    rest_until: datetime | None = None
    clears_error: bool = field(default=False)

    @property
    def verdict(self) -> str:
        return self.rule.verdict


QUARTER: Final = timedelta(minutes=15)

PLAYBOOK: Final = (
    Rule(
        codes=frozenset({64}),
        verdict=QUARANTINE,
        set_status=SUSPENDED,
        sentence="X has suspended this account (error 64): look at it in a browser.",
    ),
    Rule(
        codes=frozenset({326}),
        verdict=QUARANTINE,
        set_status=NEEDS_HUMAN,
        sentence="X has locked this account until a person unlocks it (error 326): log in with a browser, "
        "then import its cookies again.",
    ),
    Rule(
        codes=frozenset({32}),
        verdict=RELOGIN,
        set_status=NEEDS_LOGIN,
        sentence="X does not accept the cookies of this account any more (error 32): import fresh ones.",
    ),
    Rule(codes=frozenset({88}), room=True, verdict=REST, rest=QUARTER),
    Rule(statuses=(429,), verdict=REST, rest=QUARTER, until_reset=True),
    Rule(codes=frozenset({88}), verdict=REST, rest=QUARTER, until_reset=True),
    Rule(statuses=range(400, 600), html=True, verdict=REST, rest=timedelta(minutes=5), everything=True),
    Rule(
        statuses=(401,),
        verdict=RELOGIN,
        set_status=NEEDS_LOGIN,
        sentence="X does not know this account's session (401): import fresh cookies.",
    ),
    Rule(
        statuses=(403,),
        no_codes=True,
        verdict=RELOGIN,
        set_status=NEEDS_LOGIN,
        sentence="X refuses this account's session without a word (403): import fresh cookies.",
    ),
    Rule(room=False, verdict=REST, rest=QUARTER, until_reset=True),
)

OTHERWISE: Final = Rule(verdict=GO_ON)
"""LoadShed, 5xx, a dropped connection, a plain page: nothing that the account is to blame for."""


def decide(answer: Answer, now: datetime) -> Decision:
    """The decision for one answer at a time (UTC)."""
    rule = next((rule for rule in PLAYBOOK if rule.fits(answer)), OTHERWISE)
    good = rule.verdict == GO_ON and answer.status == 200
    return Decision(rule, _rest_until(rule, answer, now), clears_error=good)


def _rest_until(rule: Rule, answer: Answer, now: datetime) -> datetime | None:
    if rule.until_reset and answer.reset_at is not None:
        return min(max(answer.reset_at, now + SHORTEST_REST), now + LONGEST_REST)
    return now + rule.rest if rule.rest else None
