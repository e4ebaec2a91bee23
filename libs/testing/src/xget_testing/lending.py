"""A session that lends accounts without an account service, for tests of sources."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from xget_kernel.clock import SystemClock
from xget_sources.ports import ApiCredential, Lease, NoAccount, Outcome, Spend


class Lender:
    """A session over a few accounts of one proxy; an account that X refuses is not lent again."""

    def __init__(self, proxy_url: str | None, accounts: tuple[str, ...] = ("alice", "bob", "carol")) -> None:
        self.proxy_url = proxy_url
        self.accounts = list(accounts)
        self.cookies = {name: {"auth_token": f"token-{name}", "ct0": f"csrf-{name}"} for name in accounts}
        self.outcomes: list[Outcome] = []
        self.lent: list[str] = []
        self.held: set[str] = set()
        self.api: dict[str, ApiCredential] = {}
        self.spends: list[Spend] = []

    async def acquire(self, operation: str, *, spend: Spend | None = None) -> Lease:
        if not self.accounts:
            raise NoAccount("No account has room.", datetime.now(UTC) + timedelta(minutes=15))
        name = self.accounts[0]
        if spend and spend.archive and not self.api[name].full_archive:
            raise NoAccount("No account has the full archive in its plan.", None)
        self.lent.append(name)
        self.spends += [spend] if spend else []
        lease_id = f"lease-{len(self.lent)}"
        self.held.add(lease_id)
        return Lease(
            lease_id=lease_id,
            fencing_token=len(self.lent),
            account_id=name,
            username=name,
            cookies=self.cookies[name],
            headers={},
            user_agent=None,
            proxy_id="proxy-1",
            proxy_url=self.proxy_url,
            expires_at=datetime.now(UTC) + timedelta(minutes=5),
            api=self.api.get(name) if spend else None,
        )

    async def report(self, lease: Lease, outcome: Outcome) -> str:
        self.outcomes.append(outcome)
        refused = outcome.status in (401, 403, 429) or {88, 64, 326, 32} & set(outcome.error_codes)
        if refused and lease.account_id in self.accounts:
            self.accounts.remove(lease.account_id)
        return "rest" if refused else "go_on"

    async def release(self, lease: Lease) -> None:
        self.held.discard(lease.lease_id)

    async def keep(self, lease: Lease, fresh: ApiCredential) -> None:
        self.api[lease.account_id] = fresh


class HastyClock(SystemClock):
    """The machine's clock for those who do not wait."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)
