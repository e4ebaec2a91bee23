"""Rows of accounts as people see them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, delete, exists, func, not_, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from xget_account.errors import AccountExists
from xget_account.models import HEALTHY, RESTING, Account, ApiAccess, LedgerEntry, Move
from xget_account.schemas import AccountFilter
from xget_db.locks import in_turn, locked
from xget_db.ordering import in_bytes
from xget_kernel.pages import PageQuery

_BATCH = 400
_SORTS: dict[str, ColumnElement[Any]] = {
    "created_at": Account.created_at.asc(),
    "-created_at": Account.created_at.desc(),
    "username": in_bytes(Account.username_key).asc(),
    "-username": in_bytes(Account.username_key).desc(),
    "last_used": Account.last_used.asc().nulls_first(),
    "-last_used": Account.last_used.desc().nulls_last(),
}


class AccountRepository:
    """Accounts within one transaction. `owner` None sees all rows."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, account_id: str, owner: str | None) -> Account | None:
        """The account, unless it is missing or somebody else's; locked in a transaction that writes."""
        query = select(Account).where(Account.id == account_id)
        if owner is not None:
            query = query.where(Account.owner_id == owner)
        return (await self._session.scalars(locked(self._session, query))).one_or_none()

    async def page(
        self, owner: str | None, wanted: AccountFilter, page: PageQuery, now: datetime
    ) -> tuple[Sequence[Account], int]:
        """One page of the accounts that fit, and how many fit in all."""
        query = _filtered(select(Account), owner, wanted, now)
        total = await self._session.scalar(select(func.count()).select_from(query.subquery()))
        ordered = query.order_by(_SORTS[wanted.sort], Account.id).offset(page.offset).limit(page.limit)
        rows = await self._session.scalars(ordered)
        return list(rows), total or 0

    async def ledger(self, account_ids: Iterable[str]) -> dict[str, list[LedgerEntry]]:
        """Ledger entries by account, those of one account by operation name."""
        found: dict[str, list[LedgerEntry]] = {}
        query = select(LedgerEntry).where(LedgerEntry.account_id.in_(list(account_ids)))
        for entry in await self._session.scalars(query.order_by(LedgerEntry.operation)):
            found.setdefault(entry.account_id, []).append(entry)
        return found

    async def by_username(self, owner: str, platform: str, keys: Sequence[str]) -> dict[str, Account]:
        """The owner's accounts with these username keys; in a transaction that writes, names stay free that are."""
        await in_turn(self._session, "accounts", owner)
        found: dict[str, Account] = {}
        for start in range(0, len(keys), _BATCH):
            query = select(Account).where(
                Account.owner_id == owner,
                Account.platform == platform,
                Account.username_key.in_(keys[start : start + _BATCH]),
            )
            rows = await self._session.scalars(locked(self._session, query.order_by(Account.id)))
            found |= {account.username_key: account for account in rows}
        return found

    async def add(self, accounts: Sequence[Account]) -> None:
        """Insert accounts. Raises AccountExists (409) when the name of one is taken."""
        self._session.add_all(accounts)
        await self.save(accounts[0] if accounts else None)

    async def add_accesses(self, accesses: Sequence[ApiAccess]) -> None:
        """Insert what new accounts of an official API may spend."""
        self._session.add_all(accesses)
        await self._session.flush()

    async def save(self, account: Account | None) -> None:
        """Write what was changed. Raises AccountExists (409) when the new name is taken."""
        try:
            await self._session.flush()
        except IntegrityError as error:
            raise AccountExists(account.username if account else "") from error

    async def delete(self, account: Account) -> None:
        """Remove an account with its ledger and history."""
        await self._session.execute(delete(Move).where(Move.account_id == account.id))
        await self._session.execute(delete(LedgerEntry).where(LedgerEntry.account_id == account.id))
        await self._session.delete(account)


def _filtered(query: Select[Account], owner: str | None, wanted: AccountFilter, now: datetime) -> Select[Account]:
    if owner is not None:
        query = query.where(Account.owner_id == owner)
    if wanted.platform is not None:
        query = query.where(Account.platform == wanted.platform)
    if wanted.username is not None:
        query = query.where(Account.username_key.contains(wanted.username.casefold(), autoescape=True))
    if wanted.active is not None:
        query = query.where(Account.active == wanted.active)
    if wanted.status is not None:
        query = query.where(_in_state(wanted.status, now))
    return query


def _in_state(state: str, now: datetime) -> ColumnElement[bool]:
    """RESTING is not stored: it is a healthy account with a rest that has not ended."""
    of_one = exists().where(LedgerEntry.account_id == Account.id, LedgerEntry.rest_until > now)
    resting = or_(func.coalesce(Account.rest_until > now, False), of_one)
    if state == RESTING:
        return and_(Account.status.in_(HEALTHY), resting)
    stored = Account.status == state
    return and_(stored, not_(resting)) if state in HEALTHY else stored
