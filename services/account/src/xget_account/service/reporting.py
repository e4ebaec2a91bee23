"""What reports do to accounts and their ledger, for all that came at the same moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from xget_account.errors import LeaseLost
from xget_account.models import ACTIVE, NEEDS_LOGIN, NEW, Account, LedgerEntry
from xget_account.repository import LeaseRepository, next_day, pool_of
from xget_account.service.granting import stride
from xget_account.service.learning import learn
from xget_account.service.life import PLAYBOOK, Life, may_move
from xget_account.service.playbook import REST, Answer, Book, Decision, Rule, route_of
from xget_account.service.unknown import Unknown, sample_of
from xget_telemetry.logs import get_logger

log = get_logger(__name__)
_BUDGET: Final = Rule(name="daily_budget", action=REST, everything=True)


@dataclass(frozen=True)
class Told:
    """An answer and the lease that it came under."""

    lease_id: str
    fence: int
    answer: Answer
    error_text: str = ""
    units: int = -1
    """Of an official API: how much was read; -1 is not known."""
    release: bool = False
    """The lease ends with it."""

    @property
    def account_id(self) -> str:
        """Which account the lease is of, if it is one."""
        return self.lease_id.partition(".")[0]

    def is_newest(self, account: Account | None) -> bool:
        """Whether nobody has leased the account since."""
        if account is None or account.fence != self.fence:
            return False
        return self.lease_id == f"{account.id}.{account.fence}"


class Reporting:
    """One transaction's reports: every account in it is locked."""

    def __init__(self, leases: LeaseRepository, life: Life, now: datetime, daily_budget: int, book: Book) -> None:
        self._book = book
        self._unknown: list[Unknown] = []
        self.given_back: set[str] = set()
        """Pools that have an account again whose lease has ended with its report."""
        self._leases = leases
        self._life = life
        self._now = now
        self._daily_budget = daily_budget

    async def take(self, reports: Sequence[Told]) -> list[Decision | Exception]:
        """A decision for each report, or LeaseLost for a lease that is not the newest."""
        accounts = await self._leases.accounts({told.account_id for told in reports})
        valid = [told for told in reports if told.is_newest(accounts.get(told.account_id))]
        pairs = {(told.account_id, told.answer.operation) for told in valid}
        entries = await self._leases.entries(pairs, self._now)
        decided: list[Decision | Exception] = []
        for told in reports:
            account = accounts.get(told.account_id)
            if account is None or not told.is_newest(account):
                decided.append(LeaseLost())
            elif told.release and account.lease_holder is None and account.lease_reports:
                decided.append(self._decided(account, told))  # the same again: its answer was lost on the way
            else:
                decided.append(self._judge(account, entries[account.id, told.answer.operation], told))
                if told.release:
                    self._give_back(account)
        for told in valid:
            if accounts[told.account_id].api is not None:
                await self._leases.settle_money(told.account_id, told.fence, told.units)
        for unknown in self._unknown:
            await self._life.keep(sample_of(unknown, self._now), unknown.account)
        return decided

    def _judge(self, account: Account, entry: LedgerEntry, told: Told) -> Decision:
        self._count(account, entry)
        answer, decision = told.answer, self._decided(account, told)
        if decision.unknown:
            self._unknown.append(Unknown(account, answer, told.error_text))
        decision = self._within_budget(account, decision)
        learn(entry, answer, decision.verdict, again=account.lease_reports > 1, now=self._now)
        _rest(account, entry, decision)
        self._move(account, decision)
        account.last_report = _shown(answer, decision, told.error_text, self._now)
        if decision.rule.set_status:
            log.warning("account_out_of_service", account_id=account.id, status=account.status)
        return decision

    def _decided(self, account: Account, told: Told) -> Decision:
        return self._book.decide(told.answer, self._now, route_of(account.platform))

    def _give_back(self, account: Account) -> None:
        account.lease_holder = account.lease_operation = account.lease_expires_at = None
        self.given_back.add(pool_of(account.owner_id, account.platform))

    def _count(self, account: Account, entry: LedgerEntry) -> None:
        """The first request of a lease was counted when it was leased; count the others."""
        account.lease_reports += 1
        if account.lease_reports > 1:
            today = self._now.date().isoformat()
            account.used_today = account.used_today + 1 if account.used_day == today else 1
            account.used_day = today
            account.turn += stride(account, self._daily_budget)
            entry.used_today += 1

    def _within_budget(self, account: Account, decision: Decision) -> Decision:
        """A lease that went on asking beyond the day's budget is stopped."""
        over = account.used_today > (account.daily_budget or self._daily_budget)
        return Decision(_BUDGET, next_day(self._now)) if over and not decision.rule.set_status else decision

    def _move(self, account: Account, decision: Decision) -> None:
        """The state that an answer asks for, unless the account is in one that answers do not end."""
        target = decision.rule.set_status
        reason = decision.rule.sentence
        if target is None and decision.clears_error and account.status in {NEW, NEEDS_LOGIN}:
            target, reason = ACTIVE, "It was answered with data."
        if target is not None and may_move(account.status, target, PLAYBOOK):
            step = decision.rule.next_step
            self._life.move(account, target, reason=reason, by=PLAYBOOK, next_step=step)


def _rest(account: Account, entry: LedgerEntry, decision: Decision) -> None:
    if decision.rest_until is not None:
        target = account if decision.rule.everything else entry
        target.rest_until = max(decision.rest_until, target.rest_until or decision.rest_until)


def _shown(answer: Answer, decision: Decision, error_text: str, now: datetime) -> dict[str, object]:
    text = "".join(c if c.isprintable() else " " for c in error_text[:300])
    return {
        "at": now.isoformat(),
        "operation": answer.operation,
        "status": answer.status,
        "error_codes": sorted(answer.error_codes),
        "body_kind": answer.body_kind,
        "verdict": decision.verdict,
        "action": decision.action,
        "rule": decision.rule.name,
        "error_text": text,
    }
