"""The rows of a playbook: what must fit, and what is done then."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Final

GO_ON: Final = "go_on"
RETRY: Final = "retry"
REST: Final = "rest"
RELOGIN: Final = "relogin"
HUMAN: Final = "human"
QUARANTINE: Final = "quarantine"
ROTATE_PROXY: Final = "rotate_proxy"
REFRESH: Final = "refresh"
STOP: Final = "stop"
ACTIONS: Final = (GO_ON, RETRY, REST, RELOGIN, HUMAN, QUARANTINE, ROTATE_PROXY, REFRESH, STOP)
KINDS: Final = (
    "json",
    "html",
    "empty",
    "other",
    "cloudflare",
    "login_page",
    "logged_out",
    "loadshed",
    "no_instructions",
    "no_transaction_id",
    "problem",
)
"""Of a body. A problem of an official API may say which: `problem:usage-capped`."""
_PROBLEM = re.compile(r"problem:[a-z0-9-]{1,64}", re.ASCII)
SESSION: Final = "x_session"
ROUTES: Final = (SESSION, "x_api")
"""Ways to a platform; answers of each have rules of their own."""


def known_kind(kind: str) -> bool:
    """Whether bodies are called so."""
    return kind in KINDS or _PROBLEM.fullmatch(kind) is not None


def route_of(platform: str) -> str:
    """The route that an account of a platform is asked by."""
    return platform if platform in ROUTES else SESSION


LONGEST_REST: Final = timedelta(hours=24)
SHORTEST_REST: Final = timedelta(minutes=1)
SECOND_REST: Final = timedelta(seconds=2)
"""The shortest where the platform allows one request: such windows are of a second, or say themselves how long."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One answer as observed. -1 and None: the answer did not say."""

    operation: str
    status: int
    """HTTP status; 0 when no answer came."""
    error_codes: frozenset[int] = frozenset()
    body_kind: str = "json"
    """One of KINDS, or `problem:` and a word."""
    limit: int = -1
    remaining: int = -1
    reset_at: datetime | None = None
    has_data: bool = False
    """It carries something of what was asked for."""
    outline: str = ""
    """Names and types of the body of an answer without data, no values."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A row: all that is set must fit. `set_status`, `sentence` and `next_step` are what the account then shows."""

    name: str
    action: str
    route: str = SESSION
    codes: frozenset[int] | None = None
    statuses: tuple[range, ...] | None = None
    kinds: frozenset[str] | None = None
    codeless: bool = False
    data: bool | None = None
    room: bool | None = None
    """True: `remaining` is above 0. False: it is 0. None: whatever it is."""
    rest: timedelta | None = None
    until_reset: bool = False
    """Rest until the answer's reset time when it has one, else for `rest`."""
    until_month: bool = False
    """Rest until the next month (UTC) begins."""
    everything: bool = False
    """The account rests from all operations, not from this one only."""
    set_status: str | None = None
    sentence: str = ""
    next_step: str = ""

    def fits(self, answer: Answer) -> bool:
        """True when every condition of the row holds."""
        conditions = (
            self.codes is None or bool(self.codes & answer.error_codes),
            self.statuses is None or any(answer.status in statuses for statuses in self.statuses),
            self.kinds is None or bool(self.kinds & {answer.body_kind, answer.body_kind.partition(":")[0]}),
            not self.codeless or not answer.error_codes,
            self.data is None or answer.has_data == self.data,
            self.room is None or (answer.remaining > 0 if self.room else answer.remaining == 0),
        )
        return all(conditions)


@dataclass(frozen=True)
class Decision:
    """What to do: the action for the caller, the rest and status for the account."""

    rule: Rule
    rest_until: datetime | None = None
    clears_error: bool = field(default=False)
    unknown: bool = False
    """No row fits: the answer is kept as a sample."""
    revision: str = ""
    """Of the playbook that decided; empty for what no playbook says."""

    @property
    def action(self) -> str:
        return self.rule.action

    @property
    def verdict(self) -> str:
        """The action in four words: go_on, rest, relogin, quarantine."""
        if self.action == RELOGIN:
            return RELOGIN
        if self.action in (HUMAN, QUARANTINE):
            return QUARANTINE
        return GO_ON if self.rest_until is None else REST


@dataclass(frozen=True, kw_only=True)
class Playbook:
    """Rows in order, and what is done when none fits."""

    version: int
    name: str
    rules: tuple[Rule, ...]
    otherwise: Rule
    source: str = "packaged"
    text: str = field(default="", repr=False)
    note: str = ""
    """What was taken from the packaged playbook, as a sentence."""

    @cached_property
    def revision(self) -> str:
        """Twelve hex digits of the file's text: another text, another revision, whatever its name says."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:12]

    def decide(self, answer: Answer, now: datetime, route: str = SESSION) -> Decision:
        """The decision for one answer of a route at a time (UTC)."""
        rule = next((rule for rule in self.rules if rule.route == route and rule.fits(answer)), None)
        if rule is None:
            until = _rest_until(self.otherwise, answer, now)
            return Decision(self.otherwise, until, unknown=True, revision=self.revision)
        good = rule.action == GO_ON and answer.status == 200 and not answer.error_codes
        clears, until = good or rule.data is True, _rest_until(rule, answer, now)
        return Decision(rule, until, clears_error=clears, revision=self.revision)


def _rest_until(rule: Rule, answer: Answer, now: datetime) -> datetime | None:
    if rule.until_month:
        first = now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        return (first + timedelta(days=32)).replace(day=1)
    if rule.until_reset and answer.reset_at is not None:
        shortest = SECOND_REST if answer.limit == 1 else SHORTEST_REST
        return min(max(answer.reset_at, now + shortest), now + LONGEST_REST)
    return now + rule.rest if rule.rest else None
