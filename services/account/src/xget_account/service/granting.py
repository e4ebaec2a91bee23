"""Which account answers which wish, for all wishes that came at the same moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from xget_account.models import NEEDS_LOGIN, Account
from xget_account.repository import LeaseRepository, Wish
from xget_account.service.life import KEYS, Life
from xget_account.service.refusal import explain
from xget_account.service.vault import Vault
from xget_db.grants import Lent
from xget_kernel.errors import XGetError
from xget_kernel.secrets import NotPickled, SecretUnreadable
from xget_telemetry.logs import get_logger

log = get_logger(__name__)

_STRIDE: Final = 10**12
WINDOW: Final = timedelta(minutes=15)
"""For how long X counts requests before it starts anew."""
UNREADABLE: Final = (
    "Its cookies cannot be decrypted with the keys of this installation: give XGET_KEYS (or keys.json) its key back "
    "and start the account service anew, or import the cookies again."
)
Asks = Sequence[tuple[int, Wish, int]]
"""Number in the batch, wish, seconds."""


@dataclass(frozen=True, repr=False)
class Granted(NotPickled):
    """A lease with the account's secrets: its repr shows none."""

    account: Account
    cookies: Mapping[str, str]
    expires_at: datetime
    api: Mapping[str, Any] | None = None
    """Tokens for the platform's official API, and what its plan has."""

    @property
    def lease_id(self) -> str:
        return f"{self.account.id}.{self.account.fence}"

    def __repr__(self) -> str:
        return f"Granted({self.lease_id})"


class Granting:
    """One transaction's leases: every account in it is locked, so the choice and the lease are one step."""

    def __init__(self, leases: LeaseRepository, vault: Vault, now: datetime, daily_budget: int, life: Life) -> None:
        self._life = life
        self._leases = leases
        self._vault = vault
        self._now = now
        self._daily_budget = daily_budget
        self._answers: dict[int, Granted | Exception] = {}
        self._begun: dict[str, int] = {}

    async def grant(self, asks: Sequence[tuple[Wish, int]]) -> list[Granted | Exception]:
        """A lease or a refusal for each wish, in their order: the first is served first."""
        groups: dict[tuple[str, str, int, int], list[tuple[int, Wish, int]]] = {}
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
        return [self._answers[number] for number in range(len(asks))]

    async def _grant_group(self, asks: Asks) -> None:
        """Wishes of one owner, platform and operation, each of another holder: his own accounts, then lent ones."""
        taken: dict[str, Account] = {}
        known, wish = await self._preferred(asks), asks[0][1]
        await self._begin(wish)
        if any(account.owner_id != wish.owner_id for account in known):
            wish = await self._with_lent(wish)
        left = self._grant_preferred(asks, known, taken, wish.lent)
        open_wishes = [ask for ask in left if not ask[1].account_id]
        await self._fill(open_wishes, replace(wish, account_id=""), taken)
        for lent in (wish.lent or (await self._with_lent(wish)).lent) if open_wishes else ():
            theirs = replace(wish, owner_id=lent.owner_id, account_id=lent.subject_id, lent=())
            await self._begin(theirs)
            await self._fill(open_wishes, theirs, taken)
        if taken:
            lasts = timedelta(seconds=max(seconds for _, _, seconds in asks))
            await self._leases.reserve(sorted(taken), asks[0][1].operation, self._now, self._now + lasts + WINDOW)
            if asks[0][1].is_api:
                await self._leases.hold_money([(account, asks[0][1]) for account in taken.values()], self._now)
        await self._refuse([ask for ask in asks if ask[0] not in self._answers])

    async def _begin(self, wish: Wish) -> None:
        self._begun[wish.owner_id] = await self._leases.begun(wish)

    async def _with_lent(self, wish: Wish) -> Wish:
        """With what others lend to the owner now, and how far the choice has come in their pools."""
        wish = await self._leases.with_lent(wish, self._now)
        for owner in sorted({lent.owner_id for lent in wish.lent}):
            await self._begin(replace(wish, owner_id=owner))
        return wish

    async def _fill(self, open_wishes: list[tuple[int, Wish, int]], pool: Wish, taken: dict[str, Account]) -> None:
        """Give free accounts of a pool to those who have none yet, as far as they go."""
        unreadable: set[str] = set()
        while open_wishes:
            but = {*taken, *unreadable}
            free = await self._leases.free(pool, self._now, self._daily_budget, len(open_wishes), but)
            if not free:
                return
            for account in free:
                if self._lease(open_wishes[0], account):
                    account.begun = account.turn - stride(account, self._daily_budget)
                    taken[account.id] = account
                    open_wishes.pop(0)
                else:
                    unreadable.add(account.id)

    async def _preferred(self, asks: Asks) -> list[Account]:
        return await self._leases.preferred([wish for _, wish, _ in asks], self._now, self._daily_budget)

    def _grant_preferred(
        self, asks: Asks, known: Sequence[Account], taken: dict[str, Account], lent: Sequence[Lent]
    ) -> Asks:
        """Give named accounts, and a holder's own one back: it is the same run after a crash. What is left."""
        left = []
        for ask in asks:
            wish = ask[1]
            fits = [account for account in known if account.id not in taken and self._may_have(wish, account, lent)]
            # the wished one before its own, of several the one that rested longest
            fits.sort(key=lambda account: (account.id != wish.sticky_account_id, account.turn, account.id))
            granted = next((account for account in fits if self._lease(ask, account)), None)
            if granted is None:
                left.append(ask)
            else:
                taken[granted.id] = granted
        return left

    def _may_have(self, wish: Wish, account: Account, lent: Sequence[Lent]) -> bool:
        mine = account.lease_holder == wish.holder
        if account.platform != wish.platform or not may_use(wish.owner_id, account, lent):
            return False
        named = wish.account_id or wish.sticky_account_id
        wanted = account.id == named or (mine and not wish.account_id)
        free = account.lease_expires_at is None or account.lease_expires_at <= self._now
        return wanted and (free or mine) and account.status != NEEDS_LOGIN

    def _lease(self, ask: tuple[int, Wish, int], account: Account) -> bool:
        """Lease the account; False when its secrets cannot be read, which sets it aside."""
        number, wish, seconds = ask
        try:
            cookies, api = self._vault.open_cookies(account), self._vault.open_api(account)
        except SecretUnreadable:
            self._set_aside(account)
            return False
        now, today = self._now, self._now.date().isoformat()
        until = now + timedelta(seconds=seconds)
        account.fence += 1
        account.lease_holder, account.lease_operation, account.lease_expires_at = wish.holder, wish.operation, until
        account.lease_reports = 0
        account.used_today = account.used_today + 1 if account.used_day == today else 1
        account.used_day, account.last_used = today, now
        account.turn = max(account.turn, self._begun.get(account.owner_id, 0)) + stride(account, self._daily_budget)
        plan = {"full_archive": wish.archive}
        self._answers[number] = Granted(account, cookies, until, {**api, **plan} if api else None)
        return True

    async def _refuse(self, asks: Asks) -> None:
        errors: dict[tuple[str, str], XGetError] = {}
        for number, wish, _ in asks:
            key = (wish.account_id, wish.operation)
            if key not in errors:
                errors[key] = await explain(self._leases, wish, self._now, self._daily_budget)
            self._answers[number] = errors[key]

    def _set_aside(self, account: Account) -> None:
        self._life.move(account, NEEDS_LOGIN, reason=UNREADABLE, by=KEYS, next_step="give_key")
        account.lease_holder = account.lease_operation = account.lease_expires_at = None
        log.error("account_secret_unreadable", account_id=account.id)


def may_use(user_id: str, account: Account, lent: Sequence[Lent]) -> bool:
    """Whether an account is somebody's, or lent to him."""
    return account.owner_id == user_id or bool({Lent(account.owner_id), Lent(account.owner_id, account.id)} & {*lent})


def stride(account: Account, daily_budget: int) -> int:
    """How far one request moves the account back in the order of choice: half as far for twice the budget."""
    return _STRIDE // max(1, account.daily_budget or daily_budget)
