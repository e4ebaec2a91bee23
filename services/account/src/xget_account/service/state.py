"""How an account is, derived from its row and ledger: state, sentence, and what it waits for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from xget_account.models import (
    HEALTHY,
    NEEDS_HUMAN,
    NEEDS_LOGIN,
    NEW,
    RESTING,
    RETIRED,
    SUSPENDED,
    Account,
    LedgerEntry,
)
from xget_account.schemas import AccountRead, AccountStatus, Holder, LastReport, LoginNow, Rest
from xget_account.service.life import NEXT_STEPS, usual_step
from xget_account.service.vault import secrets_set

EVERYTHING = "*"
LOGS_IN = "Has no cookies yet: it logs in with its password by itself; `xget accounts logins NAME` tells how that goes."
NO_COOKIES = "Has no cookies yet: import auth_token and ct0 of a browser that is logged in to X."
NO_TOKENS = "Has no tokens yet: give it some with `xget accounts api NAME` or PUT /api/v1/accounts/{id}/api."
_SENTENCES = {
    NEEDS_LOGIN: "Needs fresh cookies.",
    NEEDS_HUMAN: "Needs a person who unlocks it.",
    SUSPENDED: "Is suspended by the platform.",
    RETIRED: "Was taken out of use.",
}


@dataclass(frozen=True)
class View:
    """An account with its ledger at one moment."""

    account: Account
    ledger: Sequence[LedgerEntry]
    now: datetime
    default_budget: int

    @property
    def budget(self) -> int:
        """Requests allowed per UTC day."""
        return self.account.daily_budget or self.default_budget

    @property
    def used_today(self) -> int:
        """Requests of this UTC day."""
        return self.account.used_today if self.account.used_day == self.now.date().isoformat() else 0

    @property
    def state(self) -> str:
        """The stored status, or RESTING for a healthy account with a rest that has not ended."""
        resting = any(rest.until is not None for rest in self.rests())
        return RESTING if self.account.status in HEALTHY and resting else self.account.status

    @property
    def next_step(self) -> str:
        """What would help, as a word of NEXT_STEPS."""
        if not self.account.active:
            return "switch_on"
        if self.account.status not in HEALTHY:
            stored = "" if self._is_untried() else self.account.next_step
            return stored or usual_step(self.account, self.account.status)
        return "wait" if self.state == RESTING or self.used_today >= self.budget else ""

    def _is_untried(self) -> bool:
        """Whether it is as it was made: without a session, and nobody has tried to give it one."""
        return self.account.status == NEEDS_LOGIN and self.account.error_msg in (NO_COOKIES, NO_TOKENS)

    def _error(self) -> str | None:
        """What is wrong; an account that has what it needs to log in by itself lacks nothing."""
        logs_in = self._is_untried() and usual_step(self.account, NEEDS_LOGIN) == "login"
        return LOGS_IN if logs_in else self.account.error_msg

    def _has_secrets(self) -> bool:
        return (self.account.api or self.account.cookies) is not None

    def rests(self) -> list[Rest]:
        """One entry for all operations if the account rests from everything, then one per known operation."""
        found = [_rest(entry, self.now) for entry in self.ledger]
        if (until := _future(self.account.rest_until, self.now)) is not None:
            found.insert(0, Rest(operation=EVERYTHING, until=until, used_today=self.used_today))
        return found

    def sentence(self) -> str:
        """The state in words."""
        account = self.account
        if not account.active:
            return "Is switched off: set `active` to true to use it."
        if account.status not in HEALTHY:
            return self._error() or _SENTENCES[account.status]
        if self.used_today >= self.budget:
            return f"Has used up its {self.budget} requests of this day (UTC)."
        if resting := [f"{_name(r.operation)} until {_clock(r.until)}" for r in self.rests() if r.until]:
            return f"Rests from {', '.join(resting)}."
        if self.holder() is not None:
            return "Is at work."
        return "Is ready and was never used." if account.status == NEW else "Is ready."

    def holder(self) -> Holder | None:
        """Who has it leased now."""
        expires_at = _future(self.account.lease_expires_at, self.now)
        if expires_at is None or self.account.lease_holder is None:
            return None
        operation = self.account.lease_operation or ""
        return Holder(holder=self.account.lease_holder, operation=operation, expires_at=expires_at)

    def read(self) -> AccountRead:
        """The body of a read."""
        names = AccountRead.model_fields.keys() - {"status", "used_today", "secrets_set"}
        values = {name: getattr(self.account, name) for name in names} | {"error_msg": self._error()}
        return AccountRead.model_validate(
            {**values, "status": self.state, "used_today": self.used_today, "secrets_set": secrets_set(self.account)}
        )

    def status(self, login: LoginNow | None) -> AccountStatus:
        """The body of the status, with the login that is under way: an account that cannot work waits for it."""
        account, rests = self.account, self.rests()
        waits = login is not None and account.active and account.status not in HEALTHY
        step = "wait" if waits else self.next_step
        blocked = any(rest.operation == EVERYTHING for rest in rests) or self.used_today >= self.budget
        return AccountStatus.model_validate(
            {
                "id": account.id,
                "state": self.state,
                "usable": account.active and account.status in HEALTHY and self._has_secrets() and not blocked,
                "sentence": login.sentence if login is not None and waits else self.sentence(),
                "next_step": step,
                "advice": NEXT_STEPS[step].replace("{id}", account.id),
                "rests": rests,
                "lease": self.holder(),
                "login": login,
                "last_report": LastReport.model_validate(account.last_report) if account.last_report else None,
                "daily_budget": self.budget,
                "used_today": self.used_today,
            }
        )


def _rest(entry: LedgerEntry, now: datetime) -> Rest:
    today = entry.used_day == now.date().isoformat()
    return Rest(
        operation=entry.operation,
        until=_future(entry.rest_until, now),
        limit=entry.limit,
        remaining=entry.remaining,
        reset_at=entry.reset_at,
        used_today=entry.used_today if today else 0,
    )


def _future(moment: datetime | None, now: datetime) -> datetime | None:
    return moment if moment is not None and moment > now else None


def _name(operation: str) -> str:
    return "everything" if operation == EVERYTHING else operation


def _clock(moment: datetime | None) -> str:
    return moment.strftime("%Y-%m-%d %H:%M UTC") if moment else ""
