"""A session of one run: leases, renewals, reports."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from google.protobuf.timestamp_pb2 import Timestamp

from xget.account.v1 import account_pool_pb2 as accounts_pb
from xget_kernel.clock import Clock
from xget_kernel.errors import Conflict, NotFound, PreconditionFailed, XGetError
from xget_scraper.adapters.grpc.held import Held
from xget_scraper.adapters.grpc.leasing import Leasing
from xget_scraper.adapters.grpc.proxies import ProxyWish, SessionProxies
from xget_scraper.ports import Tenant
from xget_sources.ports import ApiCredential, Lease, Outcome, Spend
from xget_telemetry.logs import get_logger

if TYPE_CHECKING:  # these stubs exist for the type checker only
    from xget.account.v1.account_pool_pb2_grpc import AccountPoolAsyncStub
    from xget.proxy.v1.proxy_pool_pb2_grpc import ProxyPoolAsyncStub

LOG = get_logger(__name__)
SPARED_SECONDS: Final = 10.0
ERROR_CHARS: Final = 500
ROTATE_PROXY: Final = "rotate_proxy"
"""The platform has shut the exit out, not the account."""


class PoolSession:
    """Implements `xget_sources.ports.Session` over AccountPool and ProxyPool."""

    def __init__(
        self,
        accounts: AccountPoolAsyncStub,
        proxies: ProxyPoolAsyncStub,
        clock: Clock,
        tenant: Tenant,
        lease_seconds: int,
    ) -> None:
        self._accounts = accounts
        self._leasing = Leasing(accounts, clock, tenant, lease_seconds)
        self._proxies = SessionProxies(proxies, clock)
        self._clock = clock
        self._tenant = tenant
        self._seconds = lease_seconds
        self._sticky = tenant.sticky_account_id
        self._renewals: dict[str, asyncio.Task[None]] = {}
        self._held: dict[str, Held] = {}
        self._spared: Held | None = None

    async def acquire(self, operation: str, *, spend: Spend | None = None) -> Lease:
        """Lease an account and find its proxy. Raises NoAccount, Unavailable (503)."""
        spared = await self._take_spared(operation)
        if spared is not None:
            found, owner = spared.found, spared.owner
        else:
            found, owner = await self._leasing.lease(operation, self._sticky, spend)
        lease = _lease(found, None, None)
        if spared is None:
            self._keep(lease, found, owner)
        try:
            proxy = await self._proxies.acquire(self._proxy_wish(found, owner, operation))
        except BaseException:
            await self._end(lease)
            raise
        self._sticky = found.account_id
        if proxy is not None:
            held = self._held[lease.lease_id]
            held.lease, held.proxy = _lease(found, proxy.proxy_id, proxy.url), proxy
            return held.lease
        return lease

    def _proxy_wish(self, found: accounts_pb.Lease, owner: str, operation: str) -> ProxyWish:
        return ProxyWish(
            owner=owner,
            others=self._tenant.pool_owners,
            wished=found.proxy_id or self._tenant.proxy_id or "",
            account_id=found.account_id,
            operation=operation,
            holder=self._tenant.execution_id,
            platform=self._tenant.platform,
        )

    async def _take_spared(self, operation: str) -> Held | None:
        """The account whose proxy broke off within its page: it goes on, with another proxy."""
        spared, self._spared = self._spared, None
        if spared is None:
            return None
        until, spared.until = spared.until or 0.0, None
        if until < self._clock.monotonic() or spared.operation != operation:
            await self._end(spared.lease)
            return None
        return spared

    async def report(self, lease: Lease, outcome: Outcome) -> str:
        """Tell both pools what came back; the account pool's action, `rest` when the lease is another's by now."""
        held = self._held.get(lease.lease_id)
        proxy = held.proxy if held is not None else None
        if held is not None and proxy is not None and outcome.status == 0:
            await self._proxies.report(proxy, outcome)
            if proxy.chosen and not held.once and lease.api is None:
                held.once, held.operation = True, outcome.operation
                held.until = self._clock.monotonic() + SPARED_SECONDS
                return "go_on"  # X never saw the account
        action = ""
        try:
            action = await self._judged(lease, outcome)
        finally:
            if proxy is not None and outcome.status != 0:
                await self._proxies.report(proxy, outcome, refused=action == ROTATE_PROXY)
        return action

    async def _judged(self, lease: Lease, outcome: Outcome) -> str:
        """What the account pool's playbook says to do."""
        request = accounts_pb.ReportRequest(
            lease_id=lease.lease_id,
            fencing_token=lease.fencing_token,
            operation=outcome.operation,
            status=outcome.status,
            error_codes=outcome.error_codes,
            body_kind=outcome.body_kind,
            limit=outcome.limit,
            remaining=outcome.remaining,
            reset_at=_stamp(outcome.reset_at),
            bytes=outcome.bytes,
            duration_ms=outcome.duration_ms,
            error_text=outcome.error_text[:ERROR_CHARS],
            has_data=outcome.has_data,
            outline=outcome.outline,
            units=outcome.units,
            release=outcome.last,
        )
        try:
            said = await self._accounts.Report(request)
        except (Conflict, PreconditionFailed, NotFound):
            return "rest"
        if outcome.last and (held := self._held.get(lease.lease_id)):
            held.returned = True  # its proxy is still held
            await self._stop_renewing(lease)
        return said.action or said.verdict

    async def keep(self, lease: Lease, fresh: ApiCredential) -> None:
        """Store renewed tokens; they are durable when this returns."""
        request = accounts_pb.KeepApiRequest(
            lease_id=lease.lease_id,
            fencing_token=lease.fencing_token,
            refresh_token=fresh.refresh_token or "",
            access_token=fresh.access_token or "",
            access_expires_at=_stamp(fresh.access_expires_at),
            replaces=lease.api.refresh_token or "" if lease.api is not None else "",
        )
        await self._accounts.KeepApi(request)

    async def release(self, lease: Lease) -> None:
        """Give the lease back; twice is fine. A pool that does not answer frees it by itself later.

        An account whose proxy has just broken off is kept for the next `acquire`, for a few seconds.
        """
        held = self._held.get(lease.lease_id)
        if held is not None and held.until is not None and held.proxy is not None:
            proxy, held.proxy, self._spared = held.proxy, None, held
            await self._proxies.release(proxy)
        elif held is None or held is not self._spared:
            await self._end(lease)

    async def _stop_renewing(self, lease: Lease) -> None:
        renewal = self._renewals.pop(lease.lease_id, None)
        if renewal is not None:
            renewal.cancel()
            await asyncio.gather(renewal, return_exceptions=True)

    async def _end(self, lease: Lease) -> None:
        await self._stop_renewing(lease)
        held = self._held.pop(lease.lease_id, None)
        if held is None:
            return
        if held.proxy is not None:
            await self._proxies.release(held.proxy)
        if not held.returned:
            await self._give_back(lease)

    async def _give_back(self, lease: Lease) -> None:
        request = accounts_pb.ReleaseRequest(lease_id=lease.lease_id, fencing_token=lease.fencing_token)
        try:
            await self._accounts.Release(request, timeout=2.0)
        except XGetError as error:
            LOG.warning("lease_not_released", lease_id=lease.lease_id, reason=error.detail)

    async def close(self) -> None:
        """Give back whatever is still leased."""
        self._spared = None
        for held in list(self._held.values()):
            await self._end(held.lease)

    def _keep(self, lease: Lease, found: accounts_pb.Lease, owner: str) -> None:
        self._held[lease.lease_id] = Held(lease, found, owner)
        self._renewals[lease.lease_id] = asyncio.create_task(self._renew(lease))

    async def _renew(self, lease: Lease) -> None:
        """Prolong the lease while its page takes long."""
        while True:
            await self._clock.sleep(self._seconds / 2)
            request = accounts_pb.RenewRequest(
                lease_id=lease.lease_id, fencing_token=lease.fencing_token, ttl_seconds=self._seconds
            )
            try:
                await self._accounts.Renew(request)
            except XGetError as error:
                LOG.warning("lease_not_renewed", lease_id=lease.lease_id, reason=error.detail)


def _lease(found: accounts_pb.Lease, proxy_id: str | None, proxy_url: str | None) -> Lease:
    return Lease(
        lease_id=found.lease_id,
        fencing_token=found.fencing_token,
        account_id=found.account_id,
        username=found.username,
        cookies=dict(found.cookies),
        headers=dict(found.headers),
        user_agent=found.user_agent or None,
        proxy_id=proxy_id,
        proxy_url=proxy_url,
        expires_at=found.expires_at.ToDatetime(UTC),
        api=_api(found.api) if found.HasField("api") else None,
    )


def _api(found: accounts_pb.ApiCredential) -> ApiCredential:
    until = found.access_expires_at.ToDatetime(UTC) if found.HasField("access_expires_at") else None
    return ApiCredential(
        bearer_token=found.bearer_token or None,
        client_id=found.client_id or None,
        client_secret=found.client_secret or None,
        refresh_token=found.refresh_token or None,
        access_token=found.access_token or None,
        access_expires_at=until,
        full_archive=found.full_archive,
    )


def _stamp(moment: datetime | None) -> Timestamp | None:
    if moment is None:
        return None
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp
