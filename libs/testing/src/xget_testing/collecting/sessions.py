"""Accounts in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from xget_sources.ports import ApiCredential, Lease, Outcome, Spend


class FakeSession:
    """Implements `xget_sources.ports.Session`; `refuse` raises NoAccount when it has a reason to."""

    def __init__(self, held: dict[str, Lease], account_id: str, refuse: Callable[[], None] | None) -> None:
        self.held = held
        self._account_id = account_id
        self._refuse = refuse
        self._count = 0

    async def acquire(self, operation: str, *, spend: Spend | None = None) -> Lease:
        """A lease of the one account."""
        if self._refuse is not None:
            self._refuse()
        self._count += 1
        lease = Lease(
            lease_id=f"{self._account_id}.{id(self)}.{self._count}",
            fencing_token=self._count,
            account_id=self._account_id,
            username="ada",
            cookies={},
            headers={},
            user_agent=None,
            proxy_id=None,
            proxy_url=None,
            expires_at=datetime.now(UTC) + timedelta(minutes=1),
        )
        self.held[lease.lease_id] = lease
        return lease

    async def report(self, lease: Lease, outcome: Outcome) -> str:
        """Every answer is fine."""
        return "go_on"

    async def release(self, lease: Lease) -> None:
        """Twice is fine."""
        self.held.pop(lease.lease_id, None)

    async def keep(self, lease: Lease, fresh: ApiCredential) -> None:
        """There are no tokens to keep."""


class FakeSessions:
    """Opens sessions; `held` shows what is leased now, `tenants` for whom sessions were opened."""

    def __init__(self, account_id: str = "account-1", refuse: Callable[[], None] | None = None) -> None:
        self.account_id = account_id
        self.refuse = refuse
        self.held: dict[str, Lease] = {}
        self.tenants: list[Any] = []

    @asynccontextmanager
    async def open(self, tenant: Any) -> AsyncIterator[FakeSession]:
        """A session whose leases end with it."""
        self.tenants.append(tenant)
        mine: dict[str, Lease] = {}
        self.held = mine
        try:
            yield FakeSession(mine, self.account_id, self.refuse)
        finally:
            mine.clear()
