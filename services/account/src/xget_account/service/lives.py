"""People look at what became of accounts, and take them out of use and into it again."""

from __future__ import annotations

from collections.abc import Sequence

from xget_account.errors import AccountNotFound
from xget_account.models import NEEDS_LOGIN, NEW, RETIRED, Account, Move, Sample
from xget_account.repository import AccountRepository
from xget_account.repository.life import LifeRepository
from xget_account.service.life import Life
from xget_account.service.state import NO_COOKIES
from xget_kernel.caller import Caller
from xget_kernel.clock import Clock
from xget_kernel.pages import PageQuery


class LifeService:
    """Use cases within one transaction. Rows of others are as if they were not there."""

    def __init__(self, accounts: AccountRepository, facts: LifeRepository, clock: Clock) -> None:
        self._accounts = accounts
        self._facts = facts
        self._life = Life(facts, clock)
        self._clock = clock

    async def history(self, account_id: str, caller: Caller, page: PageQuery) -> tuple[Sequence[Move], int]:
        """An account's moves, newest first. Raises AccountNotFound (404)."""
        account = await self._mine(account_id, caller)
        return await self._facts.history(account.id, page)

    async def samples(self, caller: Caller, page: PageQuery) -> tuple[Sequence[Sample], int]:
        """Answers to the caller's accounts that nobody knows, newest first."""
        return await self._facts.samples(caller.owner_filter, page)

    async def retire(self, account_id: str, caller: Caller, reason: str) -> None:
        """Take an account out of use; who works with it finishes its page. Raises AccountNotFound (404)."""
        account = await self._mine(account_id, caller)
        reason = reason.strip() or "A person took it out of use."
        if self._life.move(account, RETIRED, reason=reason, by=caller.user_id):
            self._changed(account)

    async def revive(self, account_id: str, caller: Caller, reason: str) -> None:
        """Take a retired account into use again; no change for one that is not. Raises AccountNotFound (404)."""
        account = await self._mine(account_id, caller)
        if account.status != RETIRED:
            return
        said = reason.strip() or "A person took it into use again."
        if account.cookies is None:
            self._life.move(account, NEEDS_LOGIN, reason=NO_COOKIES, by=caller.user_id)
        else:
            self._life.move(account, NEW, reason=said, by=caller.user_id)
        self._changed(account)

    def _changed(self, account: Account) -> None:
        account.rev += 1
        account.updated_at = self._clock.now()

    async def _mine(self, account_id: str, caller: Caller) -> Account:
        account = await self._accounts.get(account_id, caller.owner_filter)
        if account is None:
            raise AccountNotFound()
        return account
