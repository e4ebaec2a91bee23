"""The pool: lease an account, learn from what the platform answers, give it back."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from xget_account.errors import AccountNotFound, LeaseLost, NoAccountNow
from xget_account.models import Account
from xget_account.repository import Left, PoolRepository, PoolTables, Wish
from xget_account.service.aside import Aside
from xget_account.service.fairness import Fairness
from xget_account.service.granting import Granted, Granting, may_use
from xget_account.service.life import Life
from xget_account.service.metrics import LEASES, VERDICTS
from xget_account.service.playbook import Answer, Book, Decision
from xget_account.service.refusal import Key, Refusals, asked, code_of, explain_all
from xget_account.service.reporting import Consequences, Reporting, Told
from xget_account.service.undoing import undo, undone
from xget_account.service.vault import Vault
from xget_account.service.waiting import WaitingRoom
from xget_db.bells import Bell
from xget_kernel.batching import Batcher
from xget_kernel.clock import Clock
from xget_telemetry.logs import get_logger
from xget_telemetry.metrics import Registry

log = get_logger(__name__)


class LeaseService:
    """Use cases of the pool. Each is one transaction, and a second one for what happens now and then behind it."""

    def __init__(
        self,
        tables: PoolTables,
        vault: Vault,
        clock: Clock,
        *,
        daily_budget: int,
        metrics: Registry | None = None,
        bell: Bell | None = None,
        book: Book | None = None,
    ) -> None:
        self._book = book or Book(clock)
        self._tables = tables
        self._vault = vault
        self._aside = Aside(tables, vault, clock)
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
        self._told = Refusals(clock)
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
        return await self._aside.take_back()

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

    async def keep_api(self, lease_id: str, fence: int, tokens: Mapping[str, Any], replaces: str = "") -> None:
        """Store new tokens of a leased account; committed on return. Raises LeaseLost (412).

        `replaces` is the refresh token that they came of: one that somebody gave meanwhile stays.
        """
        async with self._tables.work() as leases:
            self._vault.renew_api(await leases.newest(lease_id, fence), tokens, replaces)

    async def renew(self, lease_id: str, fence: int, ttl_seconds: int) -> datetime:
        """Prolong a lease, also one that ran out if nobody took the account since. Raises LeaseLost (412)."""
        async with self._tables.work() as leases:
            account = await leases.newest(lease_id, fence)
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
        async with self._tables.work() as leases:
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
        async with self._tables.look() as leases:
            now = self._clock.now()
            return await leases.left(await leases.with_lent(wish, now), now, self._daily_budget)

    async def _acquire(self, asks: Sequence[tuple[Wish, int]]) -> list[Granted | Exception]:
        now = self._clock.now()
        granting = Granting(self._vault, now, self._daily_budget)
        order = self._fairness.ranked([wish for wish, _ in asks])
        found = dict(zip(order, await granting.run(self._tables, [asks[n] for n in order]), strict=True))
        for number, granted in found.items():
            if isinstance(granted, Granted):
                self._fairness.served(asks[number][0])
        why = await self._refusals([asks[n][0] for n, granted in found.items() if granted is None], now, granting)
        answers: list[Granted | Exception] = [found[n] or why[asked(wish)] for n, (wish, _) in enumerate(asks)]
        for answer in answers:
            self._leases.labels(outcome="granted" if isinstance(answer, Granted) else code_of(answer)).inc()
        return answers

    async def _refusals(self, wishes: Sequence[Wish], now: datetime, granting: Granting) -> dict[Key, Exception]:
        """Why there is nothing for them. What was granted is committed: a fault is told to these alone."""
        try:
            if granting.unreadable:
                await self._aside.put(granting.unreadable)
            if not wishes:
                return {}
            async with self._tables.look() as leases:
                return await explain_all(leases, wishes, now, self._daily_budget, self._told)
        except Exception as error:  # noqa: BLE001 - each of those who ask is told, and the log where nobody does
            log.warning("refusals_failed", error=type(error).__name__, unreadable=len(granting.unreadable))
            return {asked(wish): error for wish in wishes}

    def _give_back(self, granted: Granted) -> None:
        """Who asked has gone."""
        self._undone(granted)

    def _undone(self, granted: Granted) -> asyncio.Task[None]:
        """The lease is given back, with its request, whoever waits for that is cancelled or not."""
        task = asyncio.create_task(self._undo(granted))
        self._tidying.add(task)
        task.add_done_callback(lambda done: undone(done, self._tidying))
        return task

    async def _undo(self, granted: Granted) -> None:
        self._admit(await undo(self._tables, granted, self._clock.now(), self._bell))

    async def _report(self, reports: Sequence[Told]) -> list[Decision | Exception]:
        now = self._clock.now()
        reporting = Reporting(now, self._daily_budget, self._book)
        decided = await reporting.run(self._tables, reports, self._announce)
        self._admit(reporting.given_back)
        left = [number for number, decision in enumerate(decided) if decision is None]
        if left:
            found = await self._follow([reports[number] for number in left], now)
            decided = [found.pop(0) if decision is None else decision for decision in decided]
        answers = [decision for decision in decided if decision is not None]
        for answer in answers:
            if isinstance(answer, Decision):
                self._verdicts.labels(verdict=answer.verdict).inc()
        return answers

    async def _follow(self, reports: Sequence[Told], now: datetime) -> list[Decision | Exception]:
        """Those reports that have consequences: in a transaction whose moves are announced.

        The others of their batch are committed, so a fault is told to these alone.
        """
        try:
            async with self._tables.work() as leases:
                life = Life(leases.facts(self._clock), self._clock)
                consequences = Consequences(leases, life, now, self._daily_budget, self._book)
                decided = await consequences.take(reports)
                if self._bell is not None and consequences.given_back:
                    await leases.ring(self._bell, consequences.given_back)
        except Exception as error:  # noqa: BLE001 - each of those who report is told
            return [error] * len(reports)
        self._admit(consequences.given_back)
        return decided

    async def _release(self, given: Sequence[tuple[str, int]]) -> list[Exception | None]:
        async def end(pool: PoolRepository) -> set[str]:
            pools = await pool.release(set(given))
            self._announce(pool, pools)
            return pools

        pools = await self._tables.pool(end)
        self._admit(pools)
        return [None] * len(given)

    def _announce(self, pool: PoolRepository, pools: set[str]) -> None:
        """With the commit, let all processes know that these pools have an account again."""
        if self._bell is not None and pools:
            pool.ring(self._bell, pools)

    def _admit(self, pools: set[str]) -> None:
        """After the commit, where no bell says so."""
        for pool in pools if self._bell is None else ():
            self._room.ring(pool)
