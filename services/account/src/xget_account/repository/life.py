"""Moves of accounts and what is announced of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import delete, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from xget_account.models import OUTBOX, Audit, Move, Sample
from xget_contracts.events import ACCOUNT_EVENTS, AccountChanged
from xget_db.audit import By, Trail
from xget_db.outbox import Outbox
from xget_kernel.clock import Clock
from xget_kernel.pages import PageQuery

SOURCE: Final = "account"
POOL: Final = By("pool")
"""Who does what nobody asked for by a request: the pool itself, and the worker."""


class LifeRepository:
    """The history of accounts within one transaction, its audit trail and its outbox."""

    def __init__(self, session: AsyncSession, clock: Clock, topic: str = ACCOUNT_EVENTS, by: By = POOL) -> None:
        self.trail = Trail(session, Audit, clock, by)
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

    async def keep(self, sample: Sample, *, per_shape: int, most: int) -> None:
        """Keep a sample; of its shape and owner only the newest stay, and of the owner only so many in all."""
        mine = Sample.owner_id == sample.owner_id
        newest = select(Sample.id).where(mine).order_by(Sample.at.desc(), Sample.id.desc())
        await self._session.execute(
            delete(Sample).where(
                or_(
                    Sample.id.in_(newest.where(Sample.shape == sample.shape).offset(per_shape - 1).limit(most)),
                    Sample.id.in_(newest.offset(most - 1).limit(most)),
                )
            )
        )
        self._session.add(sample)

    async def samples(self, owner: str | None, page: PageQuery) -> tuple[Sequence[Sample], int]:
        """One page of an owner's samples (None: everybody's), newest first, and how many there are."""
        wanted = select(Sample)
        if owner is not None:
            wanted = wanted.where(Sample.owner_id == owner)
        total = await self._session.scalar(select(func.count()).select_from(wanted.subquery()))
        newest = wanted.order_by(Sample.at.desc(), Sample.id.desc()).offset(page.offset).limit(page.limit)
        return list(await self._session.scalars(newest)), total or 0

    async def history(self, account_id: str, page: PageQuery) -> tuple[Sequence[Move], int]:
        """One page of an account's moves, newest first, and how many there are."""
        of_account = select(Move).where(Move.account_id == account_id)
        total = await self._session.scalar(select(func.count()).select_from(of_account.subquery()))
        newest = of_account.order_by(Move.at.desc(), Move.id.desc()).offset(page.offset).limit(page.limit)
        return list(await self._session.scalars(newest)), total or 0
