"""The pool: lease an account, learn from what the platform answers, give it back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Any

from xget_account.errors import AccountNotFound, LeaseLost, NoAccountNow
from xget_account.models import ACTIVE, Account
from xget_account.repository import LeaseRepository, Left, Wish
from xget_account.repository.uses import Use
from xget_account.service.fairness import Fairness
from xget_account.service.granting import UNREADABLE, Granted, Granting, may_use
from xget_account.service.life import KEYS, Life
from xget_account.service.metrics import LEASES, VERDICTS
from xget_account.service.playbook import Answer, Book, Decision
from xget_account.service.reporting import Reporting, Told
from xget_account.service.vault import Vault
from xget_account.service.waiting import WaitingRoom
from xget_db.bells import Bell
from xget_kernel.batching import Batcher
from xget_kernel.clock import Clock
from xget_kernel.errors import XGetError
from xget_kernel.secrets import SecretUnreadable
from xget_telemetry.logs import get_logger
from xget_telemetry.metrics import Registry

Work = Callable[[], AbstractAsyncContextManager[LeaseRepository]]

log = get_logger(__name__)


class LeaseService:
    """Use cases of the pool; each is one transaction."""

    def __init__(
        self,
        work: Work,
        vault: Vault,
        clock: Clock,
        *,
        daily_budget: int,
        metrics: Registry | None = None,
        bell: Bell | None = None,
        book: Book | None = None,
    ) -> None:
        self._book = book or Book(clock)
        self._work = work
        self._vault = vault
        self._clock = clock
        self._daily_budget = daily_budget
        registry = metrics or Registry()
        self._leases = registry.counter(LEASES)
        self._verdicts = registry.counter(VERDICTS)
        self._acquiring = Batcher(self._acquire, self._give_back)
        self._reporting = Batcher(self._report)
        self._releasing = Batcher(self._release)
        self._room = WaitingRoom(self._acquire, clock, self._give_back)
        self._fairness = Fairness(clock)
        self._bell = bell
        self._deaf = bell.listen(self._room.ring) if bell else None
        self._tidying: set[asyncio.Task[None]] = set()

    @property
    def waiting(self) -> int:
        """How many wait for an account now."""
        return len(self._room)

    async def close(self) -> None:
        """Stop serving those who wait."""
        if self._deaf is not None:
            self._deaf()
        await self._room.close()
        await asyncio.gather(*self._tidying, return_exceptions=True)

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

    async def acquire(self, wish: Wish, ttl_seconds: int, wait_seconds: float = 0) -> Granted:
        """Lease the least used healthy account with room; the request is counted before it is made.

        Waits for one up to `wait_seconds`, in the order of importance; who is cancelled meanwhile takes nothing.
        Raises NoAccountNow (429, says when) and NoUsableAccount (404, says why).
        """
        rings, refusal, ask = self._room.rings, None, (wish, ttl_seconds)
        if wish.pool not in self._room:
            try:
                return await self._acquiring.ask(ask)
            except NoAccountNow as error:
                if wait_seconds <= 0:
                    raise
                refusal = error
        return await self._room.wait(ask, wait_seconds, refusal, rings)

    async def report(
        self,
        lease_id: str,
        fence: int,
        answer: Answer,
        error_text: str = "",
        *,
        units: int = -1,
        release: bool = False,
    ) -> Decision:
        """Apply the playbook to one answer. Raises LeaseLost (412) for a lease that is not the newest.

        `units` of an official API were read; what was held for more is taken back. `release` ends the lease with it.
        """
        told = Told(lease_id, fence, answer, error_text, units, release)
        return await self._reporting.ask(told)

    async def keep_api(self, lease_id: str, fence: int, tokens: Mapping[str, Any]) -> None:
        """Store new tokens of a leased account; committed on return. Raises LeaseLost (412)."""
        async with self._work() as leases:
            account = await _newest(leases, lease_id, fence)
            self._vault.seal_api(account, {**(self._vault.open_api(account) or {}), **tokens})

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
        """An account of an owner, or one that is lent to him. Raises AccountNotFound (404)."""
        async with self._work() as leases:
            account = await leases.account(account_id)
            if account is None:
                raise AccountNotFound()
            wish = Wish(owner_id=owner_id, platform=account.platform, operation="", holder="")
            if account.owner_id != owner_id:
                wish = await leases.with_lent(wish, self._clock.now())
            if not may_use(owner_id, account, wish.lent):
                raise AccountNotFound()
            return account

    async def budget(self, owner_id: str, platform: str, operation: str, account_id: str = "") -> Left:
        """What an owner's accounts (or one of them) have left for an operation; nothing is leased."""
        wish = Wish(owner_id=owner_id, platform=platform, operation=operation, holder="", account_id=account_id)
        async with self._work() as leases:
            now = self._clock.now()
            return await leases.left(await leases.with_lent(wish, now), now, self._daily_budget)

    def _life(self, leases: LeaseRepository) -> Life:
        return Life(leases.facts(self._clock), self._clock)

    async def _acquire(self, asks: Sequence[tuple[Wish, int]]) -> list[Granted | Exception]:
        async with self._work() as leases:
            granting = Granting(leases, self._vault, self._clock.now(), self._daily_budget, self._life(leases))
            order = self._fairness.ranked([wish for wish, _ in asks])
            found = dict(zip(order, await granting.grant([asks[n] for n in order]), strict=True))
            uses = [_use(asks[n][0], answer) for n, answer in found.items() if isinstance(answer, Granted)]
            if uses:
                await leases.note(uses, self._clock.now())
        for number, answer in found.items():
            self._leases.labels(outcome=answer.code if isinstance(answer, XGetError) else "granted").inc()
            if isinstance(answer, Granted):
                self._fairness.served(asks[number][0])
        return [found[number] for number in range(len(asks))]

    def _give_back(self, granted: Granted) -> None:
        """Who asked has gone."""
        task = asyncio.create_task(self.release(granted.lease_id, granted.account.fence))
        self._tidying.add(task)
        task.add_done_callback(self._tidying.discard)

    async def _report(self, reports: Sequence[Told]) -> list[Decision | Exception]:
        async with self._work() as leases:
            reporting = Reporting(leases, self._life(leases), self._clock.now(), self._daily_budget, self._book)
            decided = await reporting.take(reports)
            await self._announce(leases, reporting.given_back)
        self._admit(reporting.given_back)
        for decision in decided:
            if isinstance(decision, Decision):
                self._verdicts.labels(verdict=decision.verdict).inc()
        return decided

    async def _release(self, given: Sequence[tuple[str, int]]) -> list[Exception | None]:
        async with self._work() as leases:
            pools = await leases.release(set(given))
            await self._announce(leases, pools)
        self._admit(pools)
        return [None] * len(given)

    async def _announce(self, leases: LeaseRepository, pools: set[str]) -> None:
        """With the commit, let all processes know that these pools have an account again."""
        if self._bell is not None and pools:
            await leases.ring(self._bell, pools)

    def _admit(self, pools: set[str]) -> None:
        """After the commit, where no bell says so."""
        for pool in pools if self._bell is None else ():
            self._room.ring(pool)


def _use(wish: Wish, granted: Granted) -> Use:
    account = granted.account
    whose = wish.requester_id or wish.owner_id
    return account.id, wish.holder, wish.operation, whose if whose != account.owner_id else ""


async def _newest(leases: LeaseRepository, lease_id: str, fence: int) -> Account:
    account_id, _, number = lease_id.partition(".")
    account = await leases.account(account_id) if number == str(fence) else None
    if account is None or account.fence != fence:
        raise LeaseLost()
    return account
