"""A session of one run: leases, renewals, reports."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from google.protobuf.timestamp_pb2 import Timestamp

from xget.account.v1 import account_pool_pb2 as accounts_pb
from xget.proxy.v1 import proxy_pool_pb2 as proxies_pb
from xget_kernel.clock import Clock
from xget_kernel.errors import Conflict, NotFound, PreconditionFailed, TooMany, XGetError
from xget_rpc.client import RpcError
from xget_scraper.ports import Tenant
from xget_sources.ports import Lease, NoAccount, Outcome
from xget_telemetry.logs import get_logger

if TYPE_CHECKING:  # these stubs exist for the type checker only
    from xget.account.v1.account_pool_pb2_grpc import AccountPoolAsyncStub
    from xget.proxy.v1.proxy_pool_pb2_grpc import ProxyPoolAsyncStub

LOG = get_logger(__name__)
PROXY_PAUSE: Final = timedelta(seconds=15)
LEASE_PAUSE: Final = timedelta(seconds=0.5)
ERROR_CHARS: Final = 500


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
        self._proxies = proxies
        self._clock = clock
        self._tenant = tenant
        self._seconds = lease_seconds
        self._sticky = tenant.sticky_account_id
        self._renewals: dict[str, asyncio.Task[None]] = {}
        self._leases: dict[str, Lease] = {}

    async def acquire(self, operation: str) -> Lease:
        """Lease an account and find its proxy. Raises NoAccount, Unavailable (503)."""
        found, owner = await self._account(operation)
        lease = _lease(found, None, None)
        self._keep(lease)
        try:
            proxy = await self._proxy(found.proxy_id or self._tenant.proxy_id or "", owner)
        except BaseException:
            await self.release(lease)
            raise
        self._sticky = found.account_id
        if proxy is not None:
            lease = self._leases[lease.lease_id] = _lease(found, proxy.proxy_id, proxy.url)
        return lease

    async def report(self, lease: Lease, outcome: Outcome) -> str:
        """Tell both pools what came back; the account pool's verdict, `rest` when the lease is another's by now."""
        if lease.proxy_id is not None:
            await self._report_proxy(lease.proxy_id, outcome)
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
        )
        try:
            return (await self._accounts.Report(request)).verdict
        except (Conflict, PreconditionFailed, NotFound):
            return "rest"

    async def release(self, lease: Lease) -> None:
        """Give the lease back; twice is fine. A pool that does not answer frees it by itself later."""
        renewal = self._renewals.pop(lease.lease_id, None)
        if renewal is not None:
            renewal.cancel()
            await asyncio.gather(renewal, return_exceptions=True)
        if self._leases.pop(lease.lease_id, None) is None:
            return
        request = accounts_pb.ReleaseRequest(lease_id=lease.lease_id, fencing_token=lease.fencing_token)
        try:
            await self._accounts.Release(request, timeout=2.0)
        except XGetError as error:
            LOG.warning("lease_not_released", lease_id=lease.lease_id, reason=error.detail)

    async def close(self) -> None:
        """Give back whatever is still leased."""
        for lease in list(self._leases.values()):
            await self.release(lease)

    async def _account(self, operation: str) -> tuple[accounts_pb.Lease, str]:
        """A lease of the first owner who has one to give, and that owner."""
        none: NoAccount | None = None
        for owner in self._tenant.pool_owners:
            request = accounts_pb.AcquireRequest(
                owner_id=owner,
                platform=self._tenant.platform,
                operation=operation,
                holder=self._tenant.execution_id,
                account_id=self._tenant.account_id or "",
                sticky_account_id=self._sticky or "",
                ttl_seconds=self._seconds,
            )
            try:
                return (await self._accounts.Acquire(request)).lease, owner
            except NotFound as error:
                none = none or NoAccount(error.detail, None)
            except TooMany as error:
                when = self._available_at(error)
                if none is None or none.resume_at is None or when < none.resume_at:
                    none = NoAccount(error.detail, when)
        raise none or NoAccount("There is no usable account for this task.", None)

    async def _proxy(self, wished: str, owner: str) -> proxies_pb.AcquireResponse | None:
        """The wished proxy or the best one; None (go direct) only when nobody wished for one and there is none."""
        others = [other for other in self._tenant.pool_owners if other != owner]
        any_exists = bool(wished)
        for candidate in [owner, *others]:
            try:
                return await self._proxies.Acquire(proxies_pb.AcquireRequest(owner_id=candidate, proxy_id=wished))
            except NotFound as error:
                any_exists = any_exists or _metadata(error).get("any_exists") == "true"
                detail = error.detail
        if any_exists:
            raise NoAccount(detail, self._clock.now() + PROXY_PAUSE)
        return None

    async def _report_proxy(self, proxy_id: str, outcome: Outcome) -> None:
        request = proxies_pb.ReportRequest(
            proxy_id=proxy_id,
            ok=outcome.status > 0,
            latency_ms=outcome.duration_ms,
            error_text=outcome.error_text[:ERROR_CHARS],
        )
        try:
            await self._proxies.Report(request, timeout=2.0)
        except XGetError as error:
            LOG.warning("proxy_not_reported", proxy_id=proxy_id, reason=error.detail)

    def _keep(self, lease: Lease) -> None:
        self._leases[lease.lease_id] = lease
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

    def _available_at(self, error: TooMany) -> datetime:
        told, now = _metadata(error), self._clock.now()
        if told.get("waits-for") == "lease":
            # The lease's end is its latest end: another execution gives it back after its page.
            return now + LEASE_PAUSE
        try:
            return datetime.fromisoformat(told["available-at"]).astimezone(UTC)
        except (KeyError, ValueError):
            return now + timedelta(seconds=max(1, error.retry_after))


def _metadata(error: XGetError) -> dict[str, str]:
    return dict(error.metadata) if isinstance(error, RpcError) else {}


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
    )


def _stamp(moment: datetime | None) -> Timestamp | None:
    if moment is None:
        return None
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp
