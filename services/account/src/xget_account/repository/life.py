"""Moves of accounts and what is announced of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from xget_account.models import OUTBOX, Move
from xget_contracts.events import ACCOUNT_EVENTS, AccountChanged
from xget_db.outbox import Outbox
from xget_kernel.clock import Clock
from xget_kernel.pages import PageQuery

SOURCE: Final = "account"


class LifeRepository:
    """The history of accounts within one transaction, and its outbox."""

    def __init__(self, session: AsyncSession, clock: Clock, topic: str = ACCOUNT_EVENTS) -> None:
        self._session = session
        self._clock = clock
        self._topic = topic

    def add(self, move: Move) -> None:
        """Keep a move with this transaction."""
        self._session.add(move)

    def announce(self, change: AccountChanged) -> None:
        """Send an event with this transaction's commit; those of one account keep their order."""
        outbox = Outbox(self._session, OUTBOX, source=SOURCE, clock=self._clock)
        outbox.emit(self._topic, change.account_id, change)

    async def history(self, account_id: str, page: PageQuery) -> tuple[Sequence[Move], int]:
        """One page of an account's moves, newest first, and how many there are."""
        of_account = select(Move).where(Move.account_id == account_id)
        total = await self._session.scalar(select(func.count()).select_from(of_account.subquery()))
        newest = of_account.order_by(Move.at.desc(), Move.id.desc()).offset(page.offset).limit(page.limit)
        return list(await self._session.scalars(newest)), total or 0
