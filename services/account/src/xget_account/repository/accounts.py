"""Rows of accounts as people see them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, cast

from sqlalchemy import ColumnElement, Table, delete, insert, select, tuple_
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from xget_account.errors import AccountExists
from xget_account.models import Account, ApiAccess, LedgerEntry, Move
from xget_account.repository.listing import Fitting
from xget_account.repository.ringing import Made, made
from xget_account.schemas import AccountFilter
from xget_db.locks import in_turn, locked
from xget_db.ordering import in_bytes
from xget_db.planning import grown
from xget_kernel.pages import PageQuery

_BATCH = 400
_ACCOUNTS: Final = cast(Table, Account.__table__)
_ACCESSES: Final = cast(Table, ApiAccess.__table__)
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
        fits = Fitting(owner, wanted, now)
        total, query = await fits.count(self._session), fits.ids()
        # ids first: whole accounts would be sorted in memory, all of those before the page too
        ids = list(
            await self._session.scalars(
                query.order_by(_SORTS[wanted.sort], Account.id).offset(page.offset).limit(page.limit)
            )
        )
        rows = {row.id: row for row in await self._session.scalars(select(Account).where(Account.id.in_(ids)))}
        return [rows[account_id] for account_id in ids if account_id in rows], total

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

    async def take_in(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert accounts that are given as rows, each with all columns; those of an official API may spend nothing.

        Who waits for accounts hears of them. Raises AccountExists (409) when the name of one is taken.
        """
        if not rows:
            return
        try:
            async with self._session.begin_nested():
                await self._session.execute(insert(_ACCOUNTS), rows)
        except IntegrityError as error:
            taken = await self._taken(rows)
            if taken is None:
                raise
            raise AccountExists(taken) from error
        if accesses := [{"account_id": row["id"]} for row in rows if row["api"] is not None]:
            await self._session.execute(insert(_ACCESSES), accesses)
        await grown(self._session, _ACCOUNTS)
        made(self._session, [Made.of(row) for row in rows])

    async def _taken(self, rows: Sequence[Mapping[str, Any]]) -> str | None:
        """The first name among the rows that another account has, or an earlier one of them."""
        seen: set[tuple[str, str, str]] = set()
        for start in range(0, len(rows), _BATCH):
            piece = rows[start : start + _BATCH]
            names = (Account.owner_id, Account.platform, Account.username_key)
            query = select(*names).where(tuple_(*names).in_([_name_of(row) for row in piece]))
            seen |= {(owner, platform, key) for owner, platform, key in await self._session.execute(query)}
        for row in rows:
            if _name_of(row) in seen:
                return str(row["username"])
            seen.add(_name_of(row))
        return None

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


def _name_of(row: Mapping[str, Any]) -> tuple[str, str, str]:
    return row["owner_id"], row["platform"], row["username_key"]
