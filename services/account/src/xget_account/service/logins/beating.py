"""While a try runs: its lease is renewed, and its row says which step it is at."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from xget_account.ports import Credentials
from xget_account.repository import LoginRepository
from xget_account.service.life import Life
from xget_account.service.logins.steps import STEPS
from xget_kernel.clock import Clock
from xget_telemetry.logs import get_logger

log = get_logger(__name__)

LoginWork = Callable[[], AbstractAsyncContextManager[tuple[LoginRepository, Life]]]
"""Repositories for one transaction that writes."""


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
        self._news = asyncio.Event()
        self._step = ""
        self._over = False

    def tell(self, step: str) -> None:
        """The try has come to a step; words that are none are passed over."""
        if step in STEPS:
            self._step = step
            self._news.set()

    @asynccontextmanager
    async def beating(self) -> AsyncIterator[None]:
        """Beat meanwhile. What is being written is finished before this ends."""
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            self._over = True
            self._news.set()
            await asyncio.gather(task, return_exceptions=True)

    async def _run(self) -> None:
        while not self._over:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._lease.total_seconds() / 3):
                    await self._news.wait()
            self._news.clear()
            if not self._over and not await self._held():
                return

    async def _held(self) -> bool:
        """Renew the lease and note the step; False when another has the try by now."""
        try:
            async with self._work() as (logins, _):
                account = await logins.account(self._begun.account_id, None)
                attempt = await logins.attempt(self._begun.attempt_id)
                if account is None or attempt is None:
                    return False
                login = await logins.login(self._begun.account_id)
                if login.fence != self._begun.fence:
                    return False
                login.expires_at = self._clock.now() + self._lease
                attempt.sentence = STEPS.get(self._step, "")
        except Exception as error:  # noqa: BLE001 - the next beat may succeed; else the lease ends, as it must
            log.warning("login_beat_failed", account_id=self._begun.account_id, reason=type(error).__name__)
        return True
