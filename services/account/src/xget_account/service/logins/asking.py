"""Somebody asks for a login, or how the last ones went."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta

from xget_account.errors import AccountNotFound, LoginCapReached, LoginImpossible, LoginUnderWay
from xget_account.models import API, RETIRED, Account, LoginAttempt
from xget_account.repository import LoginRepository
from xget_account.repository.logins import MACHINE_METHODS
from xget_account.schemas import LoginNow
from xget_account.service.life import Life
from xget_account.service.logins.showing import under_way, used_today
from xget_kernel.caller import Caller
from xget_kernel.clock import Clock
from xget_kernel.ids import new_id

HISTORY = 50


class LoginService:
    """Use cases of logins within one transaction. Rows of others are as if they were not there."""

    def __init__(self, logins: LoginRepository, life: Life, clock: Clock, *, daily_cap: int) -> None:
        self._logins = logins
        self._life = life
        self._clock = clock
        self._cap = daily_cap

    async def ask(self, account_id: str, caller: Caller, method: str) -> LoginAttempt:
        """Queue a try for the worker.

        Raises AccountNotFound (404), LoginUnderWay (409), LoginImpossible (422), LoginCapReached (429).
        """
        account = await self._mine(account_id, caller)
        check_possible(account, method)
        login, now = await self._logins.login(account.id), self._clock.now()
        if used_today(login, now) >= self._cap:
            raise LoginCapReached(self._cap, next_day(now), now)
        attempt = new_attempt(account.id, now, caller.user_id, method)
        if not await self._logins.add(attempt):
            raise LoginUnderWay()
        self._life.note(account, "account.login_started", {"attempt_id": attempt.id, "method": method})
        return attempt

    async def attempts(self, account_id: str, caller: Caller) -> Sequence[LoginAttempt]:
        """The account's tries, newest first. Raises AccountNotFound (404)."""
        account = await self._mine(account_id, caller)
        return await self._logins.attempts(account.id, HISTORY)

    async def now(self, account_id: str, caller: Caller) -> LoginNow | None:
        """The login that waits or runs. Raises AccountNotFound (404)."""
        account = await self._mine(account_id, caller)
        attempt, login = await self._logins.open(account.id), await self._logins.known(account.id)
        return under_way(attempt, login, self._clock.now(), self._cap) if attempt is not None else None

    async def _mine(self, account_id: str, caller: Caller) -> Account:
        account = await self._logins.account(account_id, caller.owner_filter)
        if account is None:
            raise AccountNotFound()
        return account


def new_attempt(account_id: str, now: datetime, by: str, method: str) -> LoginAttempt:
    """A try that waits."""
    return LoginAttempt(
        id=new_id(), account_id=account_id, at=now, asked_by=by, method=method, starts=0, sentence=""
    )  # fmt: skip


def check_possible(account: Account, method: str) -> None:
    """Raise LoginImpossible (422) with what is missing."""
    if account.status == RETIRED:
        raise LoginImpossible("The account is retired: take it into use again first.")
    if account.platform.endswith(API):
        raise LoginImpossible("It asks the official API: give it a token with PUT /api/v1/accounts/{id}/api.")
    if account.login_method not in MACHINE_METHODS:
        raise LoginImpossible(
            f"Its login_method is {account.login_method}: set it to TWITTER or GOOGLE, or import fresh cookies."
        )
    if account.password is None:
        raise LoginImpossible("It has no password: set one with PUT, or import fresh cookies.")
    if account.login_method == "GOOGLE" and (account.email is None or method == "flow"):
        raise LoginImpossible("Signing in with Google needs `email` and a browser (method `browser`).")


def next_day(now: datetime) -> datetime:
    """When the cap begins anew."""
    return datetime.combine(now.astimezone(UTC).date() + timedelta(days=1), time(), UTC)
