"""SQL of logins by the machine."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import and_, exists, literal_column, not_, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from xget_account.models import NEEDS_LOGIN, Account, Login, LoginAttempt
from xget_db.locks import locked

MACHINE_METHODS = ("TWITTER", "GOOGLE")
"""`login_method`s with which a program can log in."""


class LoginRepository:
    """Logins within one transaction. `owner` None sees all rows."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def account(self, account_id: str, owner: str | None) -> Account | None:
        """The account, unless it is missing or somebody else's; locked in a transaction that writes."""
        query = select(Account).where(Account.id == account_id)
        if owner is not None:
            query = query.where(Account.owner_id == owner)
        return (await self._session.scalars(locked(self._session, query))).one_or_none()

    async def login(self, account_id: str) -> Login:
        """What is known of the account's logins, locked; made when there is nothing yet. Lock the account first."""
        query = select(Login).where(Login.account_id == account_id)
        found = (await self._session.scalars(locked(self._session, query))).one_or_none()
        if found is None:
            found = Login(account_id=account_id, fence=0, failures=0, day="", today=0)
            self._session.add(found)
            await self._session.flush()
        return found

    async def known(self, account_id: str) -> Login | None:
        """What is known of the account's logins, to look at."""
        return await self._session.get(Login, account_id)

    async def add(self, attempt: LoginAttempt) -> bool:
        """Add a try; False when the account has an open one."""
        try:
            async with self._session.begin_nested():
                self._session.add(attempt)
                await self._session.flush()
        except IntegrityError:
            return False
        return True

    async def attempt(self, attempt_id: str) -> LoginAttempt | None:
        """One try, locked in a transaction that writes."""
        query = select(LoginAttempt).where(LoginAttempt.id == attempt_id)
        return (await self._session.scalars(locked(self._session, query))).one_or_none()

    async def open(self, account_id: str) -> LoginAttempt | None:
        """The account's try that has no outcome yet."""
        query = select(LoginAttempt).where(LoginAttempt.account_id == account_id, LoginAttempt.outcome.is_(None))
        return (await self._session.scalars(locked(self._session, query))).one_or_none()

    async def attempts(self, account_id: str, limit: int) -> Sequence[LoginAttempt]:
        """The account's tries, newest first."""
        query = select(LoginAttempt).where(LoginAttempt.account_id == account_id)
        return list(await self._session.scalars(query.order_by(LoginAttempt.id.desc()).limit(limit)))

    async def due(self, now: datetime, cap: int, limit: int) -> Sequence[tuple[Account, Login | None]]:
        """Accounts that have lost their session, can log in by themselves, and may try now."""
        may_try = and_(
            or_(Login.next_at.is_(None), Login.next_at <= now),
            or_(Login.day != now.date().isoformat(), Login.today < cap),
            or_(Login.refused.is_(None), Login.refused_rev != Account.rev),
        )
        open_try = exists().where(LoginAttempt.account_id == Account.id, LoginAttempt.outcome.is_(None))
        query = (
            select(Account, Login)
            .outerjoin(Login, Login.account_id == Account.id)
            .where(
                Account.active,
                Account.status == literal_column(f"'{NEEDS_LOGIN}'"),  # written out: the index is of these only
                Account.login_method.in_(MACHINE_METHODS),
                Account.password.is_not(None),
                or_(Login.account_id.is_(None), may_try),
                not_(open_try),
            )
            .order_by(Account.updated_at, Account.id)
            .limit(limit)
        )
        return [(account, login) for account, login in await self._session.execute(query)]

    async def waiting(self, now: datetime) -> LoginAttempt | None:
        """The oldest open try that nobody works at; who died at one lost it when its lease ended."""
        free = or_(Login.account_id.is_(None), Login.expires_at.is_(None), Login.expires_at <= now)
        query = (
            select(LoginAttempt)
            .outerjoin(Login, Login.account_id == LoginAttempt.account_id)
            .where(LoginAttempt.outcome.is_(None), free)
            .order_by(LoginAttempt.id)
            .limit(1)
        )
        return (await self._session.scalars(query)).one_or_none()
