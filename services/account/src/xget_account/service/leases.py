"""The pool: lease an account, learn from what the platform answers, give it back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta

from xget_account.errors import AccountNotFound, LeaseLost
from xget_account.models import ACTIVE, NEEDS_LOGIN, NEW, Account, LedgerEntry
from xget_account.repository import LeaseRepository, Left, Wish, next_day
from xget_account.service.batching import Batcher
from xget_account.service.granting import UNREADABLE, Granted, Granting, stride
from xget_account.service.learning import learn
from xget_account.service.life import KEYS, PLAYBOOK, Life, may_move
from xget_account.service.metrics import LEASES, VERDICTS
from xget_account.service.playbook import REST, Answer, Decision, Rule, decide
from xget_account.service.vault import Vault
from xget_kernel.clock import Clock
from xget_kernel.errors import XGetError
from xget_kernel.secrets import SecretUnreadable
from xget_telemetry.logs import get_logger
from xget_telemetry.metrics import Registry

Work = Callable[[], AbstractAsyncContextManager[LeaseRepository]]

log = get_logger(__name__)

_BUDGET = Rule(verdict=REST, everything=True)


class LeaseService:
    """Use cases of the pool; each is one transaction."""

    def __init__(
        self, work: Work, vault: Vault, clock: Clock, *, daily_budget: int, metrics: Registry | None = None
    ) -> None:
        self._work = work
        self._vault = vault
        self._clock = clock
        self._daily_budget = daily_budget
        registry = metrics or Registry()
        self._leases = registry.counter(LEASES)
        self._verdicts = registry.counter(VERDICTS)
        self._acquiring = Batcher(self._acquire)
        self._releasing = Batcher(self._release)

    async def take_back(self) -> int:
        """Let accounts be leased again that were set aside for want of a key which is there now; how many."""
        found = 0
        async with self._work() as leases:
            for account in await leases.set_aside(UNREADABLE):
                try:
                    self._vault.open_cookies(account)
                except SecretUnreadable:
                    continue
                self._life(leases).move(account, ACTIVE, reason="Its key is back.", by=KEYS)
                found += 1
        if found:
            log.warning("accounts_taken_back", count=found)
        return found

    async def acquire(self, wish: Wish, ttl_seconds: int) -> Granted:
        """Lease the least used healthy account with room; the request is counted before it is made.

        Raises NoAccountNow (429, says when) and NoUsableAccount (404, says why).
        """
        return await self._acquiring.ask((wish, ttl_seconds))

    async def report(self, lease_id: str, fence: int, answer: Answer, error_text: str = "") -> Decision:
        """Apply the playbook to one answer. Raises LeaseLost (412) for a lease that is not the newest."""
        async with self._work() as leases:
            now = self._clock.now()
            account = await _newest(leases, lease_id, fence)
            entry = await leases.entry(account.id, answer.operation, now)
            self._count(account, entry, now)
            decision = self._within_budget(account, decide(answer, now), now)
            learn(entry, answer, decision.verdict, again=account.lease_reports > 1, now=now)
            _rest(account, entry, decision)
            _move(self._life(leases), account, decision)
            account.last_report = _told(answer, decision, error_text, now)
        self._verdicts.labels(verdict=decision.verdict).inc()
        if decision.rule.set_status:
            log.warning("account_out_of_service", account_id=account.id, status=account.status)
        return decision

    async def renew(self, lease_id: str, fence: int, ttl_seconds: int) -> datetime:
        """Prolong a lease, also one that ran out if nobody took the account since. Raises LeaseLost (412)."""
        async with self._work() as leases:
            account = await _newest(leases, lease_id, fence)
            if account.lease_holder is None:
                raise LeaseLost()
            until = self._clock.now() + timedelta(seconds=ttl_seconds)
            account.lease_expires_at = until
            return until

    async def release(self, lease_id: str, fence: int) -> None:
        """Give a lease back. Twice is fine; an old lease changes nothing."""
        account_id, _, number = lease_id.partition(".")
        if number == str(fence):
            await self._releasing.ask((account_id, fence))

    async def describe(self, owner_id: str, account_id: str) -> Account:
        """An account of an owner. Raises AccountNotFound (404)."""
        async with self._work() as leases:
            account = await leases.account(account_id)
            if account is None or account.owner_id != owner_id:
                raise AccountNotFound()
            return account

    async def budget(self, owner_id: str, platform: str, operation: str, account_id: str = "") -> Left:
        """What an owner's accounts (or one of them) have left for an operation; nothing is leased."""
        wish = Wish(owner_id=owner_id, platform=platform, operation=operation, holder="", account_id=account_id)
        async with self._work() as leases:
            return await leases.left(wish, self._clock.now(), self._daily_budget)

    def _life(self, leases: LeaseRepository) -> Life:
        return Life(leases.facts(self._clock), self._clock)

    async def _acquire(self, asks: Sequence[tuple[Wish, int]]) -> list[Granted | Exception]:
        async with self._work() as leases:
            granting = Granting(leases, self._vault, self._clock.now(), self._daily_budget, self._life(leases))
            answers = await granting.grant(asks)
        for answer in answers:
            self._leases.labels(outcome=answer.code if isinstance(answer, XGetError) else "granted").inc()
        return answers

    async def _release(self, given: Sequence[tuple[str, int]]) -> list[Exception | None]:
        async with self._work() as leases:
            await leases.release(set(given))
        return [None] * len(given)

    def _count(self, account: Account, entry: LedgerEntry, now: datetime) -> None:
        """The first request of a lease was counted when it was leased; count the others."""
        account.lease_reports += 1
        if account.lease_reports > 1:
            today = now.date().isoformat()
            account.used_today = account.used_today + 1 if account.used_day == today else 1
            account.used_day = today
            account.turn += stride(account, self._daily_budget)
            entry.used_today += 1

    def _within_budget(self, account: Account, decision: Decision, now: datetime) -> Decision:
        """A lease that went on asking beyond the day's budget is stopped."""
        over = account.used_today > (account.daily_budget or self._daily_budget)
        return Decision(_BUDGET, next_day(now)) if over and not decision.rule.set_status else decision


async def _newest(leases: LeaseRepository, lease_id: str, fence: int) -> Account:
    account_id, _, number = lease_id.partition(".")
    account = await leases.account(account_id) if number == str(fence) else None
    if account is None or account.fence != fence:
        raise LeaseLost()
    return account


def _rest(account: Account, entry: LedgerEntry, decision: Decision) -> None:
    if decision.rest_until is not None:
        target = account if decision.rule.everything else entry
        target.rest_until = max(decision.rest_until, target.rest_until or decision.rest_until)


def _move(life: Life, account: Account, decision: Decision) -> None:
    """The state that an answer asks for, unless the account is in one that answers do not end."""
    target = decision.rule.set_status
    reason = decision.rule.sentence
    if target is None and decision.clears_error and account.status in {NEW, NEEDS_LOGIN}:
        target, reason = ACTIVE, "It was answered with data."
    if target is not None and may_move(account.status, target, PLAYBOOK):
        life.move(account, target, reason=reason, by=PLAYBOOK)


def _told(answer: Answer, decision: Decision, error_text: str, now: datetime) -> dict[str, object]:
    shown = "".join(c if c.isprintable() else " " for c in error_text[:300])
    return {
        "at": now.isoformat(),
        "operation": answer.operation,
        "status": answer.status,
        "error_codes": sorted(answer.error_codes),
        "body_kind": answer.body_kind,
        "verdict": decision.verdict,
        "error_text": shown,
    }
