"""The life of an account: its states, which moves between them there are, and the one place that makes them.

RESTING is no state that is kept: it is a healthy account (NEW, ACTIVE) while a rest has not ended.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from xget_account.errors import IllegalMove
from xget_account.models import (
    ACTIVE,
    API,
    HEALTHY,
    NEEDS_HUMAN,
    NEEDS_LOGIN,
    NEW,
    RETIRED,
    STORED,
    SUSPENDED,
    Account,
    Move,
    Sample,
)
from xget_account.repository.life import LifeRepository
from xget_contracts.events import AccountChanged
from xget_db.audit import Subject
from xget_kernel.clock import Clock
from xget_kernel.ids import new_id
from xget_telemetry.logs import get_logger

log = get_logger(__name__)

STATES: Final = STORED
PLAYBOOK, LOGIN, KEYS, WORKER, PERSON = "playbook", "login", "keys", "worker", "person"
PER_SHAPE: Final = 3
"""Samples of one owner that look alike; the newest are kept."""
MOST_SAMPLES: Final = 100
"""Samples of one owner in all."""
MACHINES: Final = frozenset({PLAYBOOK, LOGIN, KEYS, WORKER})
Judged = tuple[str, str]
"""The rule of the playbook that moves an account, and the playbook's revision."""
Kind = Literal["state_changed", "unknown_answer", "login_failed", "needs_human", "room"]


@dataclass(frozen=True)
class Transition:
    """A move that there is: who may make it, and what it means."""

    source: str
    target: str
    by: frozenset[str]
    why: str


def _rows(source: str, target: str, by: str, why: str) -> Transition:
    return Transition(source, target, frozenset(by.split()), why)


TRANSITIONS: Final = (
    _rows(NEW, ACTIVE, "playbook login person", "it was answered with data"),
    _rows(NEW, NEEDS_LOGIN, "playbook login keys person", "its session is refused, unreadable or taken away"),
    _rows(NEW, NEEDS_HUMAN, "playbook login", "the platform asks for a person"),
    _rows(NEW, SUSPENDED, "playbook login", "the platform has suspended it"),
    _rows(NEW, RETIRED, "person", "a person takes it out of use"),
    _rows(ACTIVE, NEW, "person", "it has fresh cookies that were not tried yet"),
    _rows(ACTIVE, NEEDS_LOGIN, "playbook login keys person", "its session is refused, unreadable or taken away"),
    _rows(ACTIVE, NEEDS_HUMAN, "playbook login", "the platform asks for a person"),
    _rows(ACTIVE, SUSPENDED, "playbook login", "the platform has suspended it"),
    _rows(ACTIVE, RETIRED, "person", "a person takes it out of use"),
    _rows(NEEDS_LOGIN, NEW, "person", "it has fresh cookies that were not tried yet"),
    _rows(NEEDS_LOGIN, ACTIVE, "playbook login keys person", "it is logged in again, or its key is back"),
    _rows(NEEDS_LOGIN, NEEDS_HUMAN, "playbook login", "the platform asks for a person"),
    _rows(NEEDS_LOGIN, SUSPENDED, "playbook login", "the platform has suspended it"),
    _rows(NEEDS_LOGIN, RETIRED, "person", "a person takes it out of use"),
    _rows(NEEDS_HUMAN, NEW, "person", "a person unlocked it and brought fresh cookies"),
    _rows(NEEDS_HUMAN, ACTIVE, "login person", "a person unlocked it"),
    _rows(NEEDS_HUMAN, NEEDS_LOGIN, "login keys person", "it has no session, and a person is not needed any more"),
    _rows(NEEDS_HUMAN, SUSPENDED, "playbook login", "the platform has suspended it"),
    _rows(NEEDS_HUMAN, RETIRED, "person", "a person takes it out of use"),
    _rows(SUSPENDED, NEW, "person", "the platform lifted it, and a person brought fresh cookies"),
    _rows(SUSPENDED, ACTIVE, "login person", "the platform lifted it"),
    _rows(SUSPENDED, NEEDS_LOGIN, "person", "its cookies were taken away"),
    _rows(SUSPENDED, RETIRED, "person", "a person takes it out of use"),
    _rows(RETIRED, NEW, "person", "a person takes it into use again"),
    _rows(RETIRED, NEEDS_LOGIN, "person", "a person takes it into use again, and it has no cookies"),
)
"""Every move that there is. Staying in a state for another reason is none and always allowed."""

_ALLOWED: Final = {(row.source, row.target): row.by for row in TRANSITIONS}
NEXT_STEPS: Final = {
    "": "Nothing has to be done.",
    "wait": "Wait: it goes on by itself.",
    "switch_on": "Switch it on: set `active` to true.",
    "login": "Let it log in again: POST /api/v1/accounts/{id}/login.",
    "import_cookies": "Import fresh cookies of a browser that is logged in.",
    "give_token": "Give it a new token: PUT /api/v1/accounts/{id}/api, or `xget accounts api NAME`.",
    "give_secret": "Set the right password or TOTP secret.",
    "give_key": "Give the key back that encrypted its secrets, and start the account service anew.",
    "assist": "Log in by hand with `xget accounts assist {id}`, or import the cookies of a browser after unlocking it.",
    "look": "Look at the account in a browser; when the platform has lifted the suspension, import its cookies again.",
    "revive": "Take it into use again with `xget accounts revive {id}`.",
}
"""What would help, by its word."""


def who(by: str) -> str:
    """The kind of who makes a move: one of the machines, or a person."""
    return by if by in MACHINES else PERSON


def may_move(source: str, target: str, by: str) -> bool:
    """Whether there is such a move, and `by` may make it."""
    return source == target or who(by) in _ALLOWED.get((source, target), frozenset())


class Life:
    """Makes moves within one transaction: the row, its history and the event belong together."""

    def __init__(self, facts: LifeRepository, clock: Clock) -> None:
        self._facts = facts
        self._clock = clock

    def move(
        self, account: Account, to: str, *, reason: str, by: str, next_step: str = "", judged: Judged | None = None
    ) -> bool:
        """Bring an account into a state; False when it is there already for this reason.

        `by` is `playbook`, `login`, `keys`, `worker`, or a person's id; `next_step` a word of NEXT_STEPS, by default
        the usual one of the state; `judged` says by which rule of which playbook. Raises IllegalMove (409) when there
        is no such move.
        """
        source = account.status
        if not may_move(source, to, by):
            raise IllegalMove(source, to, by)
        step = next_step or usual_step(account, to)
        error = None if to in HEALTHY else reason[:500]
        if (source, account.error_msg, account.next_step or "") == (to, error, step):
            return False
        account.status, account.error_msg, account.next_step = to, error, step
        row = Move(id=new_id(), account_id=account.id, at=self._clock.now(), from_state=source, to_state=to)
        row.reason, row.next_step, row.by = reason[:500], step, by[:64]
        row.rule, row.playbook = judged or (None, None)
        self._facts.add(row)
        told = {"from": source, "to": to, "reason": row.reason, "next_step": step}
        self.note(account, "account.retired" if to == RETIRED else "account.state_changed", told, by=by)
        self.tell(account, _kind(to), reason=reason, source=source)
        log.info("account_moved", account_id=account.id, source=source, target=to, by=who(by))
        return True

    def note(self, account: Account, action: str, details: dict[str, Any] | None = None, *, by: str = "") -> None:
        """Write down who did what with an account; `by` is a machine that did it for whoever asked."""
        self._facts.trail.note(action, subject_of(account), details, actor=by)

    async def note_made(self, rows: Sequence[Mapping[str, Any]], *, by: str) -> None:
        """Write down that accounts were made, given as their rows; `by` says by what."""
        await self._facts.trail.note_each(
            "account.created",
            (
                (
                    Subject("account", row["id"], row["owner_id"]),
                    {"username": row["username"], "platform": row["platform"], "by": by},
                )
                for row in rows
            ),
        )

    async def keep(self, sample: Sample, account: Account) -> None:
        """Keep an answer that nobody knows, and announce that there was one."""
        await self._facts.keep(sample, per_shape=PER_SHAPE, most=MOST_SAMPLES)
        codes = ", ".join(map(str, sample.answer["error_codes"])) or "no error code"
        told = f"X answered {sample.operation} with HTTP {sample.status}, {codes}, {sample.body_kind}"
        self.tell(account, "unknown_answer", reason=f"{told}: the playbook does not know it. Sample {sample.id}.")

    def tell(self, account: Account, kind: Kind, *, reason: str, source: str = "", lent_to: Sequence[str] = ()) -> None:
        """Announce something about an account as it is now, on `xget.account-events`."""
        self._facts.announce(
            AccountChanged(
                account_id=account.id,
                owner_id=account.owner_id,
                platform=account.platform,
                username=account.username,
                kind=kind,
                from_state=source or account.status,
                to_state=account.status,
                reason=reason[:500],
                next_step=account.next_step or "",
                at=self._clock.now(),
                lent_to=list(lent_to),
            )
        )


def subject_of(account: Account) -> Subject:
    """An account as the audit trail names it."""
    return Subject("account", account.id, account.owner_id)


def usual_step(account: Account, state: str) -> str:
    """What usually helps an account in a state."""
    if state == NEEDS_LOGIN and account.platform.endswith(API):
        return "give_token"
    if state == NEEDS_LOGIN:
        return "login" if account.password and account.login_method in ("TWITTER", "GOOGLE") else "import_cookies"
    return {NEEDS_HUMAN: "assist", SUSPENDED: "look", RETIRED: "revive"}.get(state, "")


def _kind(state: str) -> Kind:
    return "needs_human" if state == NEEDS_HUMAN else "state_changed"
