"""While a try runs: its lease is renewed, its row says which step it is at, and it ends when another has it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from xget_account.models import Login, LoginAttempt
from xget_account.ports import Credentials
from xget_account.repository import LoginRepository
from xget_account.service.life import Life
from xget_account.service.logins.showing import used_today
from xget_account.service.logins.steps import STEPS, asks
from xget_kernel.clock import Clock
from xget_telemetry.logs import get_logger

log = get_logger(__name__)

LoginWork = Callable[[], AbstractAsyncContextManager[tuple[LoginRepository, Life]]]
"""Repositories for one transaction that writes."""


class LeaseLost(Exception):
    """Another has the try by now, or may have: whoever tries stops at once and keeps nothing."""


@dataclass(frozen=True)
class Begun:
    """A try that this worker holds the lease of."""

    attempt_id: str
    account_id: str
    owner_id: str
    proxy_id: str | None
    fence: int
    given: Credentials


class Beat:
    """Keeps one try alive until it ends."""

    def __init__(self, work: LoginWork, clock: Clock, lease: timedelta, begun: Begun) -> None:
        self._work = work
        self._clock = clock
        self._lease = lease
        self._begun = begun
        self._one = asyncio.Lock()
        self._over = asyncio.Event()
        self._step = ""
        self._counted = False
        self._lost = False
        self._ends = clock.now() + lease

    async def tell(self, step: str) -> None:
        """Write down the step that comes now; words that are none are passed over.

        The first step that asks the platform counts the try for the day. Raises LeaseLost, so that nothing is asked by
        a worker that has lost the try, and nothing that is not counted.
        """
        if step not in STEPS or step == self._step:
            return
        self._step = step
        if not await self._held() or (asks(step) and not self._counted):
            raise LeaseLost

    @asynccontextmanager
    async def beating(self) -> AsyncIterator[None]:
        """Beat meanwhile. What is being written is finished before this ends.

        Raises LeaseLost, and cancels what is inside, as soon as a beat finds the lease lost.
        """
        inside = asyncio.current_task()
        task = asyncio.create_task(self._run(inside))
        try:
            yield
        except asyncio.CancelledError:
            if self._lost and inside is not None and inside.uncancel() == 0:
                raise LeaseLost from None
            raise
        finally:
            self._over.set()
            await asyncio.gather(task, return_exceptions=True)

    async def _run(self, inside: asyncio.Task[object] | None) -> None:
        while not self._over.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._lease.total_seconds() / 3):
                    await self._over.wait()
            if not self._over.is_set() and not await self._held() and not self._over.is_set():
                self._lost = True
                if inside is not None:
                    inside.cancel()
                return

    async def _held(self) -> bool:
        """Renew the lease and note the step; False when another has the try by now, or may have it."""
        try:
            async with self._one, self._work() as (logins, _):
                account = await logins.account(self._begun.account_id, None)
                attempt = await logins.attempt(self._begun.attempt_id)
                if account is None or attempt is None or attempt.outcome is not None:
                    return False
                login = await logins.login(self._begun.account_id)
                if login.fence != self._begun.fence:
                    return False
                now = self._clock.now()
                counted = self._note(login, attempt, now)
            self._counted, self._ends = counted, now + self._lease
        except Exception as error:  # noqa: BLE001 - the next beat may succeed; else the lease ends, as it must
            log.warning("login_beat_failed", account_id=self._begun.account_id, reason=type(error).__name__)
        return self._clock.now() < self._ends

    def _note(self, login: Login, attempt: LoginAttempt, now: datetime) -> bool:
        """Write into both rows; whether the try counts from now on."""
        login.expires_at = now + self._lease
        attempt.sentence = STEPS.get(self._step, "")
        if asks(self._step) and not self._counted:
            login.today, login.day = used_today(login, now) + 1, now.date().isoformat()
        return asks(self._step) or self._counted
