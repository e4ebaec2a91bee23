"""Accounts within one transaction of prepared statements, as the pool leases them and learns of them.

What happens at every page is here; what happens now and then is in `leases`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Executable

from xget_account.models import GRANTS
from xget_account.repository import choosing, ledger, spending, uses, writing
from xget_account.repository.choosing import words
from xget_account.repository.held import Held, Known, both
from xget_account.repository.ledger import Pair
from xget_account.repository.room import Wish, day_of, money_values, pool_of, with_room_values
from xget_account.repository.uses import Use
from xget_db.bells import Bell
from xget_db.direct import Direct, Said
from xget_db.grants import Lent, lent_to, lent_values

_KEPT: Final = 2
"""Statements that write down what reports changed."""


class PoolRepository:
    """Accounts are locked once they are chosen, named or reported on, until the transaction ends."""

    def __init__(self, direct: Direct, *, lock: bool = True) -> None:
        """`lock=False`: accounts are looked at only, and leased if nobody changed them since."""
        self._direct = direct
        self._postgres = direct.postgres
        self.locks = lock
        self._last: list[Said] = []
        """What is said at the end, all at once."""
        self._kept: set[str] = set()

    async def hold(self, wishes: Sequence[Wish]) -> None:
        """Wait for the accounts that wishes name or hold, in one order, before any other is locked.

        For wishes of several kinds: with one kind `preferred` does it. Else two batches could wait for one another.
        """
        if self._postgres and self.locks:  # on SQLite who writes is alone
            await self._direct.rows(choosing.concerned, self._concern(wishes))

    async def preferred(self, wishes: Sequence[Wish], now: datetime, budget: int) -> list[Held]:
        """Accounts that the wishes name or whose leases they hold, waited for; those that rest are left out.

        All wishes are of one owner, platform and operation; whose account it is, and of which platform, and the lease
        of another holder are for the caller to see: a condition more, and the database would choose the wrong index.
        """
        wish = wishes[0]
        values = {**with_room_values(wish.operation, now, budget), **self._concern(wishes), **_money(wish, now)}
        build = choosing.preferred(api=wish.is_api, archive=wish.archive, lock=self.locks)
        return [Held(*row) for row in await self._direct.rows(build, values)]

    async def first(
        self, wishes: Sequence[Wish], now: datetime, budget: int
    ) -> tuple[list[Held], list[Held] | None]:  # fmt: skip
        """Those that `preferred` finds, and those that `free` does when nothing is named; None when not looked for.

        PostgreSQL is asked for both at once, if no wish names an account: then the first are few or none.
        """
        wish = wishes[0]
        if not self._postgres or any(one.account_id or one.sticky_account_id for one in wishes):
            return await self.preferred(wishes, now, budget), None
        values = {
            **with_room_values(wish.operation, now, budget),
            **self._concern(wishes),
            **_money(wish, now),
            "owner_id": wish.owner_id,
            "platform": wish.platform,
            "most": len(wishes),
        }
        build = choosing.first(api=wish.is_api, archive=wish.archive, lock=self.locks)
        rows = await self._direct.rows(build, values)
        held = [Held(*row) for is_held, *row in rows if is_held]
        free = [Held(*row) for is_held, *row in rows if not is_held]
        return held, sorted(free, key=lambda account: (account.turn, account.id))

    async def free(self, wish: Wish, now: datetime, budget: int, count: int, but: Collection[str]) -> list[Held]:
        """Up to `count` free accounts, the least used first; whoever takes some at this moment too."""
        values = {
            **with_room_values(wish.operation, now, budget),
            **_money(wish, now),
            "owner_id": wish.owner_id,
            "platform": wish.platform,
            "id": wish.account_id,
            "most": count,
            "out": words(set(but), postgres=self._postgres),
        }
        kind = {"api": wish.is_api, "archive": wish.archive, "lock": self.locks}
        build = choosing.free(named=bool(wish.account_id), out=bool(but), **kind)
        return [Held(*row) for row in await self._direct.rows(build, values)]

    async def with_lent(self, wish: Wish, now: datetime) -> Wish:
        """The wish with what others lend to its owner at this moment."""
        found = await self._direct.rows(_lent, lent_values(wish.owner_id, wish.platform, now))
        return replace(wish, lent=tuple(sorted(Lent(*row) for row in found)))

    async def hold_money(self, held: Collection[Held], wish: Wish, now: datetime) -> set[str]:
        """Count what a wish may cost of each of these accounts before it is leased; those that may spend it."""
        values = spending.hold_values(held, wish, now, postgres=self._postgres)
        return {found for (found,) in await self._direct.rows(spending.hold, values)}

    def take_back_money(self, held: Collection[Held], wish: Wish) -> None:
        """Forget what `hold_money` counted for accounts that could not be leased after all."""
        self._direct.later(spending.unheld, spending.unheld_values(held, wish, postgres=self._postgres))

    async def lease(
        self, held: Collection[Held], given: Sequence[Use], operation: str, now: datetime, window_end: datetime
    ) -> set[str]:  # fmt: skip
        """Count one request of the operation for each of these accounts before it is made; those that had room.

        Of those the leases are written down as they stand in `held`, and for the account's owner to see who was given
        which.
        """
        counting = ledger.reserve_values(held, operation, now, window_end, postgres=self._postgres)
        if self._postgres:
            noted, leased = self._leasing(held, given, operation, now)
            reserve = ledger.reserve if self.locks else ledger.reserve_unchanged
            told = (reserve, counting), (uses.note_counted, noted), (writing.lease_counted, leased)
            return {found for (found,) in await self._direct.rows_together(*told)}
        counted = {found for (found,) in await self._direct.rows(ledger.reserve, counting)}
        taken = [account for account in held if account.id in counted]
        noted, leased = self._leasing(taken, [use for use in given if use[0] in counted], operation, now)
        self._direct.together((uses.note, noted), (writing.lease, leased))
        return counted

    def _leasing(
        self, held: Collection[Held], given: Sequence[Use], operation: str, now: datetime
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        return (
            uses.note_values(given, now, postgres=self._postgres),
            writing.lease_values(held, operation, day_of(now), now, postgres=self._postgres),
        )

    async def release(self, leases: Collection[tuple[str, int]]) -> set[str]:
        """End these leases (account id, fence); one that is not the newest of its account changes nothing.

        The pools that have an account again.
        """
        rows = await self._direct.rows(writing.end, writing.end_values(leases, postgres=self._postgres))
        return {pool_of(owner_id, platform) for owner_id, platform in rows}

    async def reported(
        self, wanted: Collection[Pair], now: datetime
    ) -> tuple[dict[str, Held], dict[Pair, Known]]:  # fmt: skip
        """Those of the accounts that there are, in one order, and what is known of operations; their day is today."""
        ids = {"ids": words({account_id for account_id, _ in wanted}, postgres=self._postgres)}
        if self.locks:
            accounts = [Held(*row) for row in await self._direct.rows(choosing.locked, ids)]
            known = [Known(*row) for row in await self._direct.rows(choosing.entries, ids)] if accounts else []
        else:
            operations = words({operation for _, operation in wanted}, postgres=self._postgres)
            rows = await self._direct.rows(choosing.known, {**ids, "operations": operations})
            accounts, known = both(rows)
        there = {(one.account_id, one.operation): one for one in known}
        entries = {pair: there.get(pair) or Known(*pair) for pair in wanted}
        for entry in entries.values():
            if entry.used_day != day_of(now):
                entry.used_day, entry.used_today = day_of(now), 0
        return {account.id: account for account in accounts}, entries

    def keep(self, accounts: Collection[Held], entries: Collection[Known], now: datetime) -> None:
        """Write down what reports changed, at the `close`."""
        entered, changed = (
            ledger.keep_values(entries, now, postgres=self._postgres),
            writing.told_values(accounts, postgres=self._postgres),
        )
        if self.locks:
            self._last += (ledger.keep, entered), (writing.told, changed)
        else:
            self._last += (writing.told_unchanged, changed), (ledger.keep_told, entered)
        self._kept = {account.id for account in accounts}

    def ring(self, bell: Bell, pools: Collection[str]) -> None:
        """Let those who wait for these pools look again once this transaction has committed."""
        self._last += bell.ring_directly(self._direct, pools)

    async def close(self) -> set[str]:
        """Say the last of it, before the commit; the accounts that others changed since they were looked at."""
        said, self._last = self._last, []
        if said and (self.locks or not self._kept):
            self._direct.together(*said)
        elif said:
            told = ledger.kept if len(said) == _KEPT else ledger.kept_and_rung
            return self._kept - {found for (found,) in await self._direct.rows_together(*said, (told, {}))}
        return set()

    def _concern(self, wishes: Sequence[Wish]) -> dict[str, object]:
        named = {name for wish in wishes for name in (wish.account_id, wish.sticky_account_id) if name}
        holders = {wish.holder for wish in wishes}
        return {
            "ids": words(named, postgres=self._postgres),
            "holders": words(holders, postgres=self._postgres),
        }


def _money(wish: Wish, now: datetime) -> dict[str, object]:
    return money_values(wish, now) if wish.is_api else {}


def _lent(_postgres: bool) -> Executable:
    return lent_to(GRANTS)
