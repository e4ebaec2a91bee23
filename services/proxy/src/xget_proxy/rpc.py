"""ProxyPool over gRPC."""

from __future__ import annotations

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from xget.proxy.v1 import proxy_pool_pb2 as pb
from xget.proxy.v1.proxy_pool_pb2_grpc import ProxyPoolServicer
from xget_proxy.service import PoolService, Told, Wish
from xget_rpc.fields import word, wrong

_TTL_SECONDS = 120
_LONGEST_TTL = 3600
_MOST_AVOIDED = 100
_PLATFORM = 32
SERVICE_NAME = "xget.proxy.v1.ProxyPool"

Context = grpc.aio.ServicerContext[object, object]


class ProxyPool(ProxyPoolServicer):
    """Translates messages; errors of the service become status codes in the server."""

    def __init__(self, pool: PoolService) -> None:
        self._pool = pool

    async def Acquire(self, request: pb.AcquireRequest, context: Context) -> pb.AcquireResponse:
        """Choose a proxy."""
        wish = Wish(
            owner_id=word(request.owner_id, "owner_id", 64, required=True),
            proxy_id=word(request.proxy_id, "proxy_id"),
            country=word(request.country, "country").upper(),
            account_id=word(request.account_id, "account_id", 64),
            operation=word(request.operation, "operation", 100),
            holder=word(request.holder, "holder", 64),
            avoid=tuple(word(one, "avoid") for one in request.avoid[:_MOST_AVOIDED]),
            seconds=_ttl(request.ttl_seconds),
            platform=word(request.platform, "platform", _PLATFORM),
        )
        chosen = await self._pool.acquire(wish)
        until = Timestamp()
        until.FromDatetime(chosen.expires_at)
        return pb.AcquireResponse(proxy_id=chosen.proxy_id, url=chosen.url, lease_id=chosen.lease_id, expires_at=until)

    async def Release(self, request: pb.ReleaseRequest, context: Context) -> pb.ReleaseResponse:
        """End a lease."""
        await self._pool.release(word(request.lease_id, "lease_id"))
        return pb.ReleaseResponse()

    async def Report(self, request: pb.ReportRequest, context: Context) -> pb.ReportResponse:
        """Count what a request showed."""
        told = Told(
            proxy_id=word(request.proxy_id, "proxy_id"),
            ok=request.ok,
            latency_ms=request.latency_ms,
            reason=request.error_text,
            lease_id=word(request.lease_id, "lease_id"),
            platform=word(request.platform, "platform", _PLATFORM),
            refused=request.refused,
        )
        status = await self._pool.report(told)
        return pb.ReportResponse(status=status)

    async def Describe(self, request: pb.DescribeRequest, context: Context) -> pb.DescribeResponse:
        """Tell whether a proxy exists for an owner."""
        owner_id, proxy_id = word(request.owner_id, "owner_id"), word(request.proxy_id, "proxy_id")
        proxy = await self._pool.describe(owner_id, proxy_id)
        return pb.DescribeResponse(proxy_id=proxy.id, status=self._pool.state(proxy))


def _ttl(seconds: int) -> int:
    if seconds < 0:
        raise wrong("ttl_seconds", "range", f"ttl_seconds must be 1 to {_LONGEST_TTL}, or 0.")
    return min(seconds or _TTL_SECONDS, _LONGEST_TTL)
