"""Who used which account, and how long that and the audit trail are kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Final

from xget_account.errors import AccountNotFound
from xget_account.models import LeaseLog
from xget_account.repository import AccountRepository
from xget_account.repository.uses import UseRepository
from xget_kernel.caller import Caller
from xget_kernel.clock import Clock
from xget_kernel.pages import PageQuery

BATCH: Final = 500
"""Rows that one transaction removes: others write in between."""


class UseService:
    """Looks at the uses of accounts on one snapshot. Rows of others are as if they were not there."""

    def __init__(self, accounts: AccountRepository, uses: UseRepository) -> None:
        self._accounts = accounts
        self._uses = uses

    async def page(self, account_id: str, caller: Caller, page: PageQuery) -> tuple[Sequence[LeaseLog], int]:
        """An account's uses, the latest first. Raises AccountNotFound (404)."""
        if await self._accounts.get(account_id, caller.owner_filter) is None:
            raise AccountNotFound()
        return await self._uses.page(account_id, page)


class Forgetting:
    """Removes what is older than it is kept, a batch at a time."""

    def __init__(
        self, work: Callable[[], AbstractAsyncContextManager[UseRepository]], clock: Clock,
        *, audit: timedelta, leases: timedelta,
    ) -> None:  # fmt: skip
        self._work = work
        self._clock = clock
        self._audit = audit
        self._leases = leases

    async def run(self) -> int:
        """Remove all that is old; how many rows."""
        now, removed, more = self._clock.now(), 0, True
        while more:
            async with self._work() as uses:
                notes = await uses.prune_audit(now - self._audit, BATCH)
                leases = await uses.prune_leases(now - self._leases, BATCH)
            removed += notes + leases
            more = BATCH in {notes, leases}
        return removed
