"""Leases that nobody was handed: nothing is asked under them, so what was counted for them is taken back."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

from xget_account.models import Account, LedgerEntry
from xget_account.repository import PoolTables, pool_of
from xget_account.service.granting import Granted
from xget_db.bells import Bell
from xget_telemetry.logs import get_logger

log = get_logger(__name__)


async def undo(tables: PoolTables, granted: Granted, now: datetime, bell: Bell | None) -> set[str]:
    """End a lease and take its request back, unless it is over or somebody leased the account since.

    The pools that have an account again. Who dies before leaves the request counted, and the lease to its end.
    """
    lease = granted.account
    async with tables.work() as leases:
        account = await leases.account(lease.id)
        if account is None or account.fence != lease.fence or account.lease_holder is None:
            return set()
        operation = account.lease_operation or ""
        account.lease_holder = account.lease_operation = account.lease_expires_at = None
        entry = await leases.entry(account.id, operation)
        _uncount(account, lease.used_day)
        if entry is not None:
            _uncount(entry, lease.used_day)
            _refill(entry, granted, now)
        pools = {pool_of(account.owner_id, account.platform)}
        if bell is not None:
            await leases.ring(bell, pools)
        return pools


def _uncount(counted: Account | LedgerEntry, day: str) -> None:
    if counted.used_day == day:
        counted.used_today = max(0, counted.used_today - 1)


def _refill(entry: LedgerEntry, granted: Granted, now: datetime) -> None:
    """A window that runs still has the request again. An app's may be that of others, too: there it stays taken."""
    runs = entry.reset_at is not None and entry.reset_at > now
    if granted.api is None and runs and entry.remaining is not None and entry.limit is not None:
        entry.remaining = min(entry.limit, entry.remaining + 1)


def undone(task: asyncio.Task[None], tasks: set[asyncio.Task[Any]]) -> None:
    """Of a lease that could not be given back nobody hears who could do anything: it ends by its time."""
    tasks.discard(task)
    if not task.cancelled() and (error := task.exception()) is not None:
        log.warning("lease_not_undone", error=type(error).__name__)
