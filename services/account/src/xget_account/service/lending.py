"""Owners let others use their accounts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xget_account.errors import AccountNotFound
from xget_account.repository import AccountRepository, LifeRepository
from xget_account.repository.lending import LendingRepository
from xget_account.repository.room import pool_of
from xget_account.service.life import Life
from xget_account.service.state import View
from xget_db.bells import Bell
from xget_kernel.caller import Caller
from xget_kernel.clock import Clock
from xget_kernel.pages import PageQuery
from xget_web.grants import GrantCreate, Opened

NEWLY_LENT = "It is lent to one more."


class LentService:
    """Looks at the accounts of others that somebody may use, on one snapshot."""

    def __init__(
        self, lending: LendingRepository, accounts: AccountRepository, clock: Clock, daily_budget: int
    ) -> None:
        self._lending = lending
        self._accounts = accounts
        self._clock = clock
        self._daily_budget = daily_budget

    async def page(self, caller: Caller, page: PageQuery, name: str | None = None) -> tuple[Sequence[View], int]:
        """One page of them (of those with a name) by owner and name, and how many there are."""
        now = self._clock.now()
        rows, total = await self._lending.accounts(caller.user_id, page, now, name)
        ledger = await self._accounts.ledger(account.id for account in rows)
        return [View(account, ledger.get(account.id, []), now, self._daily_budget) for account in rows], total


@dataclass(frozen=True)
class Lending:
    """What a grant means here: it is for accounts, and those who wait for one look again."""

    bell: Bell
    clock: Clock
    topic: str

    async def owner_of(self, session: Opened, account_id: str, caller: Caller) -> str:
        """Whose an account is. Raises AccountNotFound (404)."""
        account = await AccountRepository(session).get(account_id, caller.owner_filter)
        if account is None:
            raise AccountNotFound()
        return account.owner_id

    async def given(self, session: Opened, owner: str, grant: GrantCreate) -> None:
        """Somebody may use more from now on: who waits for him looks again, in line or not."""
        life = Life(LifeRepository(session, self.clock, self.topic), self.clock)
        firsts = await LendingRepository(session).firsts(owner, grant.platform, grant.subject_id)
        for account in firsts:
            life.tell(account, "room", reason=NEWLY_LENT, lent_to=[grant.grantee_id])
        await self.bell.ring(session, {pool_of(grant.grantee_id, account.platform) for account in firsts})
