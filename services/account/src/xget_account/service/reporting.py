"""What reports do to accounts and their ledger, for all that came at the same moment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

from xget_account.errors import LeaseLost
from xget_account.models import ACTIVE, NEEDS_LOGIN, NEW, Account, LedgerEntry
from xget_account.repository import Held, Known, LeaseRepository, PoolRepository, PoolTables, next_day, pool_of
from xget_account.service.apps import settled
from xget_account.service.learning import learn
from xget_account.service.life import PLAYBOOK, Life, may_move
from xget_account.service.playbook import REST, Answer, Book, Decision, Rule, route_of
from xget_account.service.turns import stride
from xget_account.service.unknown import Unknown, sample_of
from xget_telemetry.logs import get_logger

log = get_logger(__name__)
Announce = Callable[[PoolRepository, set[str]], None]
"""Lets those who wait for pools know of them with the commit."""
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

    def is_again(self, account: Account | Held) -> bool:
        """Whether it was taken already: it gave the account back, and its answer was lost on the way."""
        return self.release and account.lease_holder is None and account.lease_reports > 0

    def is_newest(self, account: Account | Held | None) -> bool:
        """Whether nobody has leased the account since."""
        if account is None or account.fence != self.fence:
            return False
        return self.lease_id == f"{account.id}.{account.fence}"


class Judging:
    """What one transaction's reports do to rows that are locked, whichever way they were read."""

    def __init__(self, now: datetime, daily_budget: int, book: Book) -> None:
        self._book = book
        self.given_back: set[str] = set()
        """Pools that have an account again whose lease has ended with its report."""
        self._now = now
        self._daily_budget = daily_budget

    def decided(self, account: Account | Held, told: Told) -> Decision:
        """What the playbook says."""
        return self._book.decide(told.answer, self._now, route_of(account.platform))

    def judge(self, account: Account | Held, entry: LedgerEntry | Known, told: Told, decision: Decision) -> Decision:
        """Count and learn; the decision as it is in force."""
        self._count(account, entry)
        decision = self._within_budget(account, decision)
        learn(entry, told.answer, decision.verdict, again=account.lease_reports > 1, now=self._now)
        _rest(account, entry, decision)
        account.last_report = _shown(told.answer, decision, told.error_text, self._now)
        if told.release:
            account.lease_holder = account.lease_operation = account.lease_expires_at = None
            self.given_back.add(pool_of(account.owner_id, account.platform))
        return decision

    def _count(self, account: Account | Held, entry: LedgerEntry | Known) -> None:
        """The first request of a lease was counted when it was leased; count the others."""
        account.lease_reports += 1
        if account.lease_reports > 1:
            today = self._now.date().isoformat()
            account.used_today = account.used_today + 1 if account.used_day == today else 1
            account.used_day = today
            account.turn += stride(account, self._daily_budget)
            entry.used_today += 1

    def _within_budget(self, account: Account | Held, decision: Decision) -> Decision:
        """A lease that went on asking beyond the day's budget is stopped."""
        over = account.used_today > (account.daily_budget or self._daily_budget)
        return Decision(_BUDGET, next_day(self._now)) if over and not decision.rule.set_status else decision


class Reporting:
    """Reports of pages: all that changes no account's state and tells nobody of it."""

    def __init__(self, now: datetime, daily_budget: int, book: Book) -> None:
        self._now = now
        self._judging = Judging(now, daily_budget, book)
        self.given_back = self._judging.given_back

    async def run(
        self, tables: PoolTables, reports: Sequence[Told], announce: Announce
    ) -> list[Decision | Exception | None]:  # fmt: skip
        """A decision for each report, LeaseLost for a lease that is not the newest; None is for `Consequences`.

        Accounts are looked at first, and locked when what was learned of them is written. Where others changed one
        meanwhile, its reports are judged anew with all locked.
        """
        decided, changed = await tables.glance(partial(self._taken, reports=reports, announce=announce))
        if again := [number for number, told in enumerate(reports) if told.account_id in changed]:
            late = [reports[number] for number in again]
            anew: list[Decision | Exception | None]
            try:
                anew, _ = await tables.pool(partial(self._taken, reports=late, announce=announce))
            except Exception as error:  # noqa: BLE001 - the others are committed: it is told to these alone
                anew = [error] * len(late)
            for number, decision in zip(again, anew, strict=True):
                decided[number] = decision
        return decided

    async def _taken(
        self, pool: PoolRepository, reports: Sequence[Told], announce: Announce
    ) -> tuple[list[Decision | Exception | None], set[str]]:
        """As `run`, and the accounts that others changed meanwhile."""
        decided = await self._take(pool, reports)
        announce(pool, self.given_back)
        return decided, await pool.close()

    async def _take(self, pool: PoolRepository, reports: Sequence[Told]) -> list[Decision | Exception | None]:
        pairs = {(told.account_id, told.answer.operation) for told in reports}
        accounts, entries = await pool.reported(pairs, self._now)
        decided: list[Decision | Exception | None] = []
        judged: dict[tuple[str, str], Known] = {}
        left: set[str] = set()
        for told in reports:
            account = accounts.get(told.account_id)
            if account is None or not told.is_newest(account):
                decided.append(LeaseLost())
                continue
            decision = self._judging.decided(account, told)
            if account.id in left or has_consequences(account, decision):
                left.add(account.id)
                decided.append(None)
            elif told.is_again(account):
                decided.append(decision)
            else:
                pair = account.id, told.answer.operation
                judged[pair] = entries[pair]
                decided.append(self._judging.judge(account, entries[pair], told, decision))
        if judged:
            pool.keep([accounts[name] for name in {name for name, _ in judged}], judged.values(), self._now)
        return decided


class Consequences:
    """Reports that change the state of an account, are kept as samples, or are about money."""

    def __init__(self, leases: LeaseRepository, life: Life, now: datetime, daily_budget: int, book: Book) -> None:
        self._unknown: list[Unknown] = []
        self._leases = leases
        self._life = life
        self._now = now
        self._judging = Judging(now, daily_budget, book)
        self.given_back = self._judging.given_back

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
            elif told.is_again(account):
                decided.append(self._judging.decided(account, told))
            else:
                decided.append(self._judge(account, entries[account.id, told.answer.operation], told))
        for told in valid:
            if accounts[told.account_id].api is not None:
                await self._settle(told)
        for unknown in self._unknown:
            await self._life.keep(sample_of(unknown, self._now), unknown.account)
        return decided

    async def _settle(self, told: Told) -> None:
        """Count what the request has read, and with it that its end is known: no crash comes in between."""
        await self._leases.settle_money(told.account_id, told.fence, told.units)
        if (app := await self._leases.app(told.account_id)) is not None:
            settled(app, told.fence, told.units, self._now)

    def _judge(self, account: Account, entry: LedgerEntry, told: Told) -> Decision:
        decision = self._judging.decided(account, told)
        if decision.unknown:
            self._unknown.append(Unknown(account, told.answer, told.error_text))
        decision = self._judging.judge(account, entry, told, decision)
        self._move(account, decision, told.fence)
        if decision.rule.set_status and decision.rule.set_status == account.status:
            log.warning("account_out_of_service", account_id=account.id, status=account.status)
        return decision

    def _move(self, account: Account, decision: Decision, fence: int) -> None:
        """The state that an answer asks for, unless it was an answer to a session that was replaced meanwhile."""
        target, reason = decision.rule.set_status, decision.rule.sentence
        if target is None and decision.clears_error and account.status in {NEW, NEEDS_LOGIN}:
            target, reason = ACTIVE, "It was answered with data."
        replaced = fence <= account.given_fence and target in {ACTIVE, NEEDS_LOGIN}
        if target is not None and not replaced and may_move(account.status, target, PLAYBOOK):
            step, judged = decision.rule.next_step, (decision.rule.name, decision.revision)
            self._life.move(account, target, reason=reason, by=PLAYBOOK, next_step=step, judged=judged)


def has_consequences(account: Held, decision: Decision) -> bool:
    """Whether a decision is about more than the account's ledger, its rest and its lease."""
    wakes = decision.clears_error and account.status in {NEW, NEEDS_LOGIN}
    return bool(decision.unknown or decision.rule.set_status or wakes or account.api is not None)


def _rest(account: Account | Held, entry: LedgerEntry | Known, decision: Decision) -> None:
    if decision.rest_until is not None:
        target: Account | Held | LedgerEntry | Known = account if decision.rule.everything else entry
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
        "playbook": decision.revision,
        "error_text": text,
    }
