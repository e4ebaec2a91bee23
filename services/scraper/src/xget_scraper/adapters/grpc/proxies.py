"""The proxies of one session: leases, reports, and which have just failed."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import msgspec

from xget.proxy.v1 import proxy_pool_pb2 as pb
from xget_kernel.clock import Clock
from xget_kernel.errors import NotFound, XGetError
from xget_rpc.client import RpcError
from xget_sources.ports import NoAccount, Outcome
from xget_telemetry.logs import get_logger

if TYPE_CHECKING:  # these stubs exist for the type checker only
    from xget.proxy.v1.proxy_pool_pb2_grpc import ProxyPoolAsyncStub

LOG = get_logger(__name__)
PAUSE: Final = timedelta(seconds=15)
ERROR_CHARS: Final = 500
_TTL_SECONDS: Final = 300
_REMEMBERED: Final = 8


class ProxyWish(msgspec.Struct, frozen=True, kw_only=True):
    """For whom a proxy is sought: `owner` first, then the others."""

    owner: str
    others: Sequence[str]
    wished: str
    """The only proxy to use; empty for the pool's choice."""
    account_id: str
    operation: str
    holder: str
    platform: str


class ProxyLease(msgspec.Struct, frozen=True, kw_only=True):
    """A proxy to go out through. Carries a secret: it has no useful repr."""

    proxy_id: str
    url: str
    lease_id: str
    chosen: bool
    """The pool chose it: another would do."""
    platform: str

    def __repr__(self) -> str:
        return f"ProxyLease({self.proxy_id})"


class SessionProxies:
    """Leases proxies from ProxyPool; those that broke off within a page are taken last."""

    def __init__(self, pool: ProxyPoolAsyncStub, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock
        self._broke: deque[str] = deque(maxlen=_REMEMBERED)

    async def acquire(self, wish: ProxyWish) -> ProxyLease | None:
        """The wished proxy or the best one; None (go direct) only when nobody wished for one and there is none.

        Raises NoAccount, Unavailable (503).
        """
        any_exists = bool(wish.wished)
        for owner in [wish.owner, *(other for other in wish.others if other != wish.owner)]:
            request = pb.AcquireRequest(
                owner_id=owner,
                proxy_id=wish.wished,
                account_id=wish.account_id,
                operation=wish.operation,
                avoid=self._broke,
                holder=wish.holder,
                ttl_seconds=_TTL_SECONDS,
                platform=wish.platform,
            )
            try:
                found = await self._pool.Acquire(request)
            except NotFound as error:
                any_exists = any_exists or _metadata(error).get("any_exists") == "true"
                detail = error.detail
            else:
                return ProxyLease(
                    proxy_id=found.proxy_id,
                    url=found.url,
                    lease_id=found.lease_id,
                    chosen=not wish.wished,
                    platform=wish.platform,
                )
        if any_exists:
            raise NoAccount(detail, self._clock.now() + PAUSE)
        return None

    async def report(self, lease: ProxyLease, outcome: Outcome, *, refused: bool = False) -> None:
        """Tell whether an answer came, and whether the platform has shut the exit out. A pool that does not answer
        misses it."""
        if outcome.status == 0:
            self._broke.append(lease.proxy_id)
        request = pb.ReportRequest(
            proxy_id=lease.proxy_id,
            ok=outcome.status > 0,
            latency_ms=outcome.duration_ms,
            error_text=_why(outcome) if refused else outcome.error_text[:ERROR_CHARS],
            lease_id=lease.lease_id,
            platform=lease.platform,
            refused=refused,
        )
        try:
            await self._pool.Report(request, timeout=2.0)
        except XGetError as error:
            LOG.warning("proxy_not_reported", proxy_id=lease.proxy_id, reason=error.detail)

    async def release(self, lease: ProxyLease) -> None:
        """Give it back. A pool that does not answer frees it by itself later."""
        try:
            await self._pool.Release(pb.ReleaseRequest(lease_id=lease.lease_id), timeout=2.0)
        except XGetError as error:
            LOG.warning("proxy_not_released", proxy_id=lease.proxy_id, reason=error.detail)


def _why(outcome: Outcome) -> str:
    """How the platform has shut an exit out."""
    return f"It answered {outcome.status} ({outcome.body_kind})."


def _metadata(error: XGetError) -> dict[str, str]:
    return dict(error.metadata) if isinstance(error, RpcError) else {}
