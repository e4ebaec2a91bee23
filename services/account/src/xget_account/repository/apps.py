"""Accounts of an official API that are of one developer app, within one transaction."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from xget_account.models import Account, ApiAccess, ApiApp, LedgerEntry
from xget_account.repository.ledger import entries_of
from xget_account.repository.spending import accesses, unspend
from xget_db.locks import locked


class AppRepository:
    """Lock accounts before anything of theirs is changed."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, account_id: str) -> ApiApp | None:
        """What is known of an account's app, as it is now."""
        return await self._session.get(ApiApp, account_id, populate_existing=True)

    def add(self, account_id: str) -> ApiApp:
        """Begin to know an account's app."""
        app = ApiApp(
            account_id=account_id, app="", app_key="", app_wide=False, open_fence=0, open_units=0, open_micros=0,
            lost_month="", lost_units=0, lost_micros=0,
        )  # fmt: skip
        self._session.add(app)
        return app

    async def together(self, app_key: str) -> dict[str, bool]:
        """Accounts of an app, and whether each asks with the app's own token."""
        rows = await self._session.execute(
            select(ApiApp.account_id, ApiApp.app_wide).where(ApiApp.app_key == app_key, ApiApp.app_key != "")
        )
        return {row.account_id: row.app_wide for row in rows}

    async def of_owner(self, app_key: str, owner_id: str) -> int:
        """How many accounts of an owner are known to be of an app."""
        query = select(func.count()).select_from(ApiApp).join(Account, Account.id == ApiApp.account_id)
        mine = query.where(ApiApp.app_key == app_key, ApiApp.app_key != "", Account.owner_id == owner_id)
        return await self._session.scalar(mine) or 0

    async def open_fences(self, account_ids: Collection[str]) -> dict[str, int]:
        """The newest lease of each account that was handed out and not reported on; 0 for none."""
        query = select(ApiApp.account_id, ApiApp.open_fence).where(ApiApp.account_id.in_(account_ids))
        return {row.account_id: row.open_fence for row in await self._session.execute(query)}

    async def lock(self, account_ids: Collection[str]) -> dict[str, Account]:
        """These accounts, locked in one order."""
        query = select(Account).where(Account.id.in_(account_ids)).order_by(Account.id)
        rows = await self._session.scalars(locked(self._session, query).execution_options(populate_existing=True))
        return {account.id: account for account in rows}

    async def entries(self, account_ids: Collection[str], operation: str, now: datetime) -> dict[str, LedgerEntry]:
        """What is known of these accounts and an operation, made where there is nothing."""
        found = await entries_of(self._session, [(account_id, operation) for account_id in sorted(account_ids)], now)
        return {account_id: entry for (account_id, _), entry in found.items()}

    async def access(self, account_id: str) -> ApiAccess | None:
        """The plan and the month of an account."""
        return (await accesses(self._session, [account_id])).get(account_id)

    async def take_back(self, account_id: str, fence: int, micros: int) -> None:
        """Nothing was asked under a lease: what was held for it (`micros`) is not spent."""
        await unspend(self._session, account_id, fence, micros)
