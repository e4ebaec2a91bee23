"""Asks X one cheap thing with an account, through its own lease and proxy."""

from __future__ import annotations

from typing import Final

from xget_account.errors import NoAccountNow, NoUsableAccount
from xget_account.ports import LoginProxies
from xget_account.repository import Wish
from xget_account.service import Granted, LeaseService
from xget_account.service.playbook import Answer
from xget_kernel.errors import XGetError
from xget_sources.ports import ApiCredential, Lease, NoAccount, Outcome, SourceStopped, Spend
from xget_sources.x.client import XClient

OPERATION: Final = "UserByScreenName"
ASKED: Final = "X"
"""The platform's own account: it is there."""
SECONDS: Final = 120


class XLook:
    """Implements `Look` with the client of the source of X."""

    def __init__(self, pool: LeaseService, proxies: LoginProxies, client: XClient, holder: str) -> None:
        self._pool = pool
        self._proxies = proxies
        self._client = client
        self._holder = f"health:{holder}"

    async def __call__(self, owner_id: str, account_id: str) -> str:
        """What the playbook made of the answer; `busy` when the account or its proxy is not to be had now."""
        session = _OneLease(self._pool, self._proxies, self._wish(owner_id, account_id))
        try:
            await self._client.ask(session, lambda api: api.user_by_login_raw(ASKED))
        except (NoAccount, SourceStopped, XGetError):
            return session.said or "busy"
        return session.said

    def _wish(self, owner_id: str, account_id: str) -> Wish:
        return Wish(
            owner_id=owner_id,
            platform="x",
            operation=OPERATION,
            holder=self._holder,
            account_id=account_id,
            priority=10,
        )


class _OneLease:
    """A session that lends the one account once."""

    def __init__(self, pool: LeaseService, proxies: LoginProxies, wish: Wish) -> None:
        self._pool = pool
        self._proxies = proxies
        self._wish = wish
        self._granted: Granted | None = None
        self.said = ""

    async def acquire(self, operation: str, *, spend: Spend | None = None) -> Lease:
        """The account; raises NoAccount the second time, and when it has no room or no proxy."""
        if self._granted is not None:
            raise NoAccount("The account was asked once.", None)
        try:
            granted = await self._pool.acquire(self._wish, SECONDS)
        except (NoAccountNow, NoUsableAccount) as error:
            raise NoAccount(error.detail, None) from error
        self._granted, account = granted, granted.account
        try:
            proxy = await self._proxies.address(account.owner_id, account.proxy_id)
        except XGetError as error:
            await self._pool.release(granted.lease_id, account.fence)
            raise NoAccount(error.detail, None) from error
        return Lease(
            lease_id=granted.lease_id,
            fencing_token=account.fence,
            account_id=account.id,
            username=account.username,
            cookies=dict(granted.cookies),
            headers=dict(account.headers),
            user_agent=account.user_agent,
            proxy_id=account.proxy_id,
            proxy_url=proxy.reveal() if proxy is not None else None,
            expires_at=granted.expires_at,
        )

    async def report(self, lease: Lease, outcome: Outcome) -> str:
        """Tell the pool what came back."""
        answer = Answer(
            operation=OPERATION,
            status=outcome.status,
            error_codes=frozenset(outcome.error_codes),
            body_kind=outcome.body_kind,
            limit=outcome.limit,
            remaining=outcome.remaining,
            reset_at=outcome.reset_at,
            has_data=outcome.has_data,
            outline=outcome.outline,
        )
        decision = await self._pool.report(
            lease.lease_id, lease.fencing_token, answer, outcome.error_text, release=outcome.last
        )
        self.said = decision.action
        return decision.action

    async def release(self, lease: Lease) -> None:
        """Give the lease back; twice is fine."""
        await self._pool.release(lease.lease_id, lease.fencing_token)

    async def keep(self, lease: Lease, fresh: ApiCredential) -> None:
        """An account of cookies has no tokens to keep."""
