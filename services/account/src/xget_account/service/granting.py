"""Which account answers which wish, for all wishes that came at the same moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from xget_account.models import Account
from xget_account.repository import Held, PoolRepository, PoolTables, Wish
from xget_account.repository.uses import Use
from xget_account.service.turns import stride
from xget_account.service.vault import Vault
from xget_db.grants import Lent
from xget_kernel.secrets import NotPickled, SecretUnreadable

WINDOW: Final = timedelta(minutes=15)
"""For how long X counts requests before it starts anew."""
Ask = tuple[int, Wish, int]
"""Number in the batch, wish, seconds."""
Asks = Sequence[Ask]
Secrets = tuple[Mapping[str, str], Mapping[str, Any] | None]
"""Cookies, and tokens of an official API."""


@dataclass(frozen=True, repr=False)
class Granted(NotPickled):
    """A lease with the account's secrets: its repr shows none."""

    account: Held
    cookies: Mapping[str, str]
    expires_at: datetime
    api: Mapping[str, Any] | None = None
    """Tokens for the platform's official API, and what its plan has."""
    micros: int = 0
    """What its request may cost at most, which is counted."""

    @property
    def lease_id(self) -> str:
        return f"{self.account.id}.{self.account.fence}"

    def __repr__(self) -> str:
        return f"Granted({self.lease_id})"


@dataclass(frozen=True, repr=False)
class _Pick(NotPickled):
    """An account that is to answer a wish, if it has room still."""

    ask: Ask
    account: Held
    secrets: Secrets
    fresh: bool
    """It was chosen as the next of its pool, and not by name."""


class Granting:
    """One transaction's leases: every account in it is locked, so the choice and the lease are one step."""

    _leases: PoolRepository

    def __init__(self, vault: Vault, now: datetime, daily_budget: int) -> None:
        self._vault = vault
        self._now = now
        self._daily_budget = daily_budget
        self._granted: dict[int, Granted] = {}
        self._lasting = False
        """What was granted is committed already, whatever becomes of the others."""
        self._out: set[str] = set()
        """Accounts that this transaction cannot give."""
        self.unreadable: set[str] = set()
        """Those of them whose secrets no key opens."""
        self.missed: set[int] = set()
        """Wishes whose account was changed by another between the look and the lease, where looking locks nothing."""

    async def run(self, tables: PoolTables, asks: Sequence[tuple[Wish, int]]) -> list[Granted | Exception | None]:
        """`grant`, of accounts that are looked at first and locked when they are leased.

        Who misses his is served with all locked. So is who may spend money: it is held before the lease. A fault is
        told to those alone whose leases are not committed by then.
        """
        if any(wish.is_api for wish, _ in asks):
            return [*await tables.pool(partial(self.grant, asks=asks))]
        found: list[Granted | Exception | None] = []
        try:
            found += await tables.glance(partial(self.grant, asks=asks))
        except Exception as error:
            if not self._lasting:
                raise
            return [self._granted.get(number, error) for number in range(len(asks))]
        if again := sorted(self.missed):
            self._granted, self.missed = {}, set()
            late: list[Granted | Exception | None] = []
            try:
                late += await tables.pool(partial(self.grant, asks=[asks[number] for number in again]))
            except Exception as error:  # noqa: BLE001 - told to those who missed theirs
                late = [error] * len(again)
            found = [late.pop(0) if number in again else one for number, one in enumerate(found)]
        return found

    async def grant(self, leases: PoolRepository, asks: Sequence[tuple[Wish, int]]) -> list[Granted | None]:
        """A lease for each wish, in their order: the first is served first. None where there is none."""
        self._leases = leases
        groups: dict[tuple[str, str, int, int], list[Ask]] = {}
        times: dict[str, int] = {}
        run, before = 0, ("", 0, 0, False)
        for number, (wish, seconds) in enumerate(asks):
            again = times[wish.holder] = times.get(wish.holder, -1) + 1  # the second wish of a holder comes after
            kind = (wish.operation, wish.units, wish.micros, wish.archive)
            run += kind != before
            before = kind
            groups.setdefault((wish.owner_id, wish.platform, run, again), []).append((number, wish, seconds))
        if len(groups) > 1:
            await self._leases.hold([wish for wish, _ in asks])
        for key in sorted(groups, key=lambda key: (key[3], key[2])):
            await self._grant_group(groups[key])
        return [self._granted.get(number) for number in range(len(asks))]

    async def _grant_group(self, asks: Asks) -> None:
        """Wishes of one owner, platform and operation, each of another holder."""
        while asks:
            picks = await self._picks(asks)
            leased = await self._leased(picks, asks[0][1])
            # another transaction took the room of the others while this one chose
            asks = [pick.ask for pick in picks if pick.account.id not in leased]
            if not self._leases.locks:
                self.missed |= {number for number, _, _ in asks}
                return
            self._out |= {pick.account.id for pick in picks if pick.account.id not in leased}

    async def _picks(self, asks: Asks) -> list[_Pick]:
        """Named accounts and those that holders have, then the owner's, then lent ones."""
        wish = asks[0][1]
        known, free = await self._leases.first([wish for _, wish, _ in asks], self._now, self._daily_budget)
        if any(account.owner_id != wish.owner_id for account in known):
            wish = await self._leases.with_lent(wish, self._now)
        picks, left = self._preferred(asks, known, wish.lent)
        left = [ask for ask in left if not ask[1].account_id]
        picks += await self._free(left, replace(wish, account_id=""), picks, free)
        if len(picks) < len(asks) and left:
            left = [ask for ask in left if ask[0] not in {pick.ask[0] for pick in picks}]
            for lent in (wish.lent or (await self._leases.with_lent(wish, self._now)).lent) if left else ():
                theirs = replace(wish, owner_id=lent.owner_id, account_id=lent.subject_id, lent=())
                found = await self._free(left, theirs, picks)
                left = left[len(found) :]
                picks += found
        return picks

    def _preferred(self, asks: Asks, known: Sequence[Held], lent: Sequence[Lent]) -> tuple[list[_Pick], list[Ask]]:
        """Named accounts, and a holder's own one back: it is the same run after a crash. Which, and who has none."""
        picks: list[_Pick] = []
        left, taken = [], set[str]()
        for ask in asks:
            wish = ask[1]
            fits = [account for account in known if account.id not in taken and self._may_have(wish, account, lent)]
            # the wished one before its own, of several the one that rested longest
            fits.sort(key=lambda account: (account.id != wish.sticky_account_id, account.turn, account.id))
            pick = next((pick for account in fits if (pick := self._pick(ask, account, fresh=False))), None)
            if pick is None:
                left.append(ask)
            else:
                taken.add(pick.account.id)
                picks.append(pick)
        return picks, left

    async def _free(
        self, asks: Asks, pool: Wish, taken: Sequence[_Pick], found: Sequence[Held] | None = None
    ) -> list[_Pick]:  # fmt: skip
        """Free accounts of a pool for these wishes, the first first, as far as they go; `found` are known already."""
        picks: list[_Pick] = []
        while len(picks) < len(asks):
            but = self._out.union(pick.account.id for pick in (*taken, *picks))
            if found is None:
                found = await self._leases.free(pool, self._now, self._daily_budget, len(asks) - len(picks), but)
                if not found:
                    break
            for account in found:
                if account.id in but or len(picks) == len(asks):
                    continue
                pick = self._pick(asks[len(picks)], account, fresh=True)
                if pick is not None:
                    picks.append(pick)
            found = None
        return picks

    def _may_have(self, wish: Wish, account: Held, lent: Sequence[Lent]) -> bool:
        mine = account.lease_holder == wish.holder
        if account.platform != wish.platform or not may_use(wish.owner_id, account, lent):
            return False
        named = wish.account_id or wish.sticky_account_id
        wanted = account.id == named or (mine and not wish.account_id)
        free = account.lease_expires_at is None or account.lease_expires_at <= self._now
        return wanted and (free or mine) and account.id not in self._out

    def _pick(self, ask: Ask, account: Held, *, fresh: bool) -> _Pick | None:
        """None when its secrets cannot be read."""
        try:
            secrets = self._vault.open_cookies(account), self._vault.open_api(account)
        except SecretUnreadable:
            self._out.add(account.id)
            self.unreadable.add(account.id)
            return None
        return _Pick(ask, account, secrets, fresh)

    async def _leased(self, picks: Sequence[_Pick], wish: Wish) -> set[str]:
        """Lease the accounts that may spend what the wish costs and have room for it, which is counted; their ids."""
        paid = [pick.account for pick in picks]
        if paid and wish.is_api:
            paying = await self._leases.hold_money(paid, wish, self._now)
            paid = [account for account in paid if account.id in paying]
        ids = {account.id for account in paid}
        chosen = [pick for pick in picks if pick.account.id in ids]
        if not chosen:
            return set()
        given = {pick.account.id: (pick.ask[0], self._lease(pick)) for pick in chosen}
        ends = self._now + timedelta(seconds=max(pick.ask[2] for pick in chosen)) + WINDOW
        leased = await self._leases.lease(paid, [_use(pick) for pick in chosen], wish.operation, self._now, ends)
        self._granted |= {number: granted for account_id, (number, granted) in given.items() if account_id in leased}
        self._lasting = not self._leases.locks
        if wish.is_api and (lost := [account for account in paid if account.id not in leased]):
            self._leases.take_back_money(lost, wish)
        return leased

    def _lease(self, pick: _Pick) -> Granted:
        (_, wish, seconds), account, (cookies, api) = pick.ask, pick.account, pick.secrets
        now, today = self._now, self._now.date().isoformat()
        until = now + timedelta(seconds=seconds)
        account.fence += 1
        account.lease_holder, account.lease_operation, account.lease_expires_at = wish.holder, wish.operation, until
        account.lease_reports = 0
        account.used_today = account.used_today + 1 if account.used_day == today else 1
        account.used_day, account.last_used = today, now
        account.turn = max(account.turn, account.pool_begun) + stride(account, self._daily_budget)
        if pick.fresh:
            account.begun = account.turn - stride(account, self._daily_budget)
        plan = {"full_archive": wish.archive}
        return Granted(account, cookies, until, {**api, **plan} if api else None, wish.micros)


def _use(pick: _Pick) -> Use:
    account, wish = pick.account, pick.ask[1]
    whose = wish.requester_id or wish.owner_id
    return account.id, wish.holder, wish.operation, whose if whose != account.owner_id else ""


def may_use(user_id: str, account: Account | Held, lent: Sequence[Lent]) -> bool:
    """Whether an account is somebody's, or lent to him."""
    return account.owner_id == user_id or bool({Lent(account.owner_id), Lent(account.owner_id, account.id)} & {*lent})
