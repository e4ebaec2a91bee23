"""Looks at accounts that nobody has used for long or that come back, on a small budget of its own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta

from xget_account.repository.checks import CheckRepository
from xget_kernel.clock import Clock
from xget_telemetry.logs import get_logger

Look = Callable[[str, str], Awaitable[str]]
"""(owner id, account id): ask the platform one cheap thing with the account; what the playbook made of the answer."""
Checks = Callable[[], AbstractAsyncContextManager[CheckRepository]]

log = get_logger(__name__)


class HealthChecks:
    """One look at a time; what it means is the playbook's business, as with any answer.

    `seen` reads only: a look through very many accounts keeps no writer waiting.
    """

    def __init__(
        self, checks: Checks, look: Look, clock: Clock, *, idle: timedelta, per_hour: int, seen: Checks | None = None
    ) -> None:
        self._seen = seen or checks
        self._checks = checks
        self._look = look
        self._clock = clock
        self._idle = idle
        self._per_hour = per_hour

    async def run(self) -> bool:
        """Look at one account that is due; False when none is, or the hour's looks are used up."""
        async with self._seen() as checks:
            if not await checks.any_due(self._clock.now(), idle=self._idle, per_hour=self._per_hour):
                return False
        async with self._checks() as checks:
            account = await checks.due(self._clock.now(), idle=self._idle, per_hour=self._per_hour)
            if account is None:
                return False
            owner_id, account_id = account.owner_id, account.id
        said = await self._look(owner_id, account_id)
        log.info("account_looked_at", account_id=account_id, said=said)
        return True
