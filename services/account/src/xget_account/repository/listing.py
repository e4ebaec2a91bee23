"""Which accounts a list shows, and how many there are: cheap for a million of them, too.

Most accounts are alike: switched on, ACTIVE, not at rest. They are counted by those that are not, which indexes of
their own know; those indexes cost the lease of a usual account nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, literal_column, not_, or_, select, true, union
from sqlalchemy.ext.asyncio import AsyncSession

from xget_account.models import ACTIVE, HEALTHY, RESTING, Account, LedgerEntry
from xget_account.schemas import AccountFilter

OTHER_STATE = Account.status != literal_column(f"'{ACTIVE}'")
"""As the indexes say it: of a parameter no database would know that it means the same."""


class Fitting:
    """The accounts of an owner (None: everybody's) that fit a filter now: some of `among`, but for `without`."""

    def __init__(self, owner: str | None, wanted: AccountFilter, now: datetime) -> None:
        self._now = now
        self._at_rest = wanted.status == RESTING
        self._awake = wanted.status in HEALTHY
        """RESTING is not stored: it is a healthy account with a rest that has not ended."""
        self._among = _narrowed(owner, wanted)
        self._without: list[ColumnElement[bool]] = []
        if wanted.active is not None:
            (self._without if wanted.active else self._among).append(not_(Account.active))
        if self._at_rest:
            self._among.append(Account.status.in_(HEALTHY))
        elif wanted.status == ACTIVE:
            self._without.append(OTHER_STATE)
        elif wanted.status is not None:
            self._among += [Account.status == wanted.status, OTHER_STATE]

    def ids(self) -> Select[Any]:
        """For finding the first of them in an order."""
        fits = [*self._among, *(not_(one) for one in self._without)]
        if self._at_rest:
            return select(Account.id).where(Account.id.in_(resting_ids(fits, self._now)))
        return select(Account.id).where(*fits, *([not_(_rests(self._now))] if self._awake else []))

    async def count(self, session: AsyncSession) -> int:
        """How many they are: some index tells each of the numbers."""
        fits = [*self._among, *(not_(one) for one in self._without)]
        resting = await _counted(session, resting_ids(fits, self._now)) if self._awake or self._at_rest else 0
        if self._at_rest:
            return resting
        total = await _counted(session, select(Account.id).where(*self._among)) - resting
        for number, one in enumerate(self._without):
            before = (not_(other) for other in self._without[:number])
            total -= await _counted(session, select(Account.id).where(*self._among, *before, one))
        return total


def resting_ids(fits: Sequence[ColumnElement[bool]], now: datetime) -> Select[Any]:
    """Those of some accounts of which anything rests."""
    whole = select(Account.id).where(*fits, Account.rest_until > now)
    # a value and not EXISTS: that one would be made a join with all accounts
    mine = select(and_(true(), *fits)).where(Account.id == LedgerEntry.account_id).scalar_subquery()
    of_one = select(LedgerEntry.account_id).where(LedgerEntry.rest_until > now, mine)
    return select(union(whole, of_one).subquery().c[0])


def _rests(now: datetime) -> ColumnElement[bool]:
    of_one = exists().where(LedgerEntry.account_id == Account.id, LedgerEntry.rest_until > now)
    return or_(func.coalesce(Account.rest_until > now, False), of_one)


def _narrowed(owner: str | None, wanted: AccountFilter) -> list[ColumnElement[bool]]:
    found = [] if owner is None else [Account.owner_id == owner]
    if wanted.platform is not None:
        found.append(Account.platform == wanted.platform)
    if wanted.username is not None:
        found.append(Account.username_key.contains(wanted.username.casefold(), autoescape=True))
    if wanted.name is not None:
        found.append(Account.username_key == wanted.name.casefold())
    return found


async def _counted(session: AsyncSession, ids: Select[Any]) -> int:
    return await session.scalar(select(func.count()).select_from(ids.subquery())) or 0
