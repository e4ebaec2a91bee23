"""ProxyPool over gRPC."""

from __future__ import annotations

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from xget.proxy.v1 import proxy_pool_pb2 as pb
from xget.proxy.v1.proxy_pool_pb2_grpc import ProxyPoolServicer
from xget_proxy.errors import BadRequestField
from xget_proxy.service import PoolService, Told, Wish

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
        if not request.owner_id:
            raise BadRequestField("owner_id", "length", "owner_id must not be empty.")
        wish = Wish(
            owner_id=request.owner_id,
            proxy_id=request.proxy_id,
            country=request.country.upper(),
            account_id=_short("account_id", request.account_id, 64),
            operation=_short("operation", request.operation, 100),
            holder=_short("holder", request.holder, 64),
            avoid=tuple(request.avoid[:_MOST_AVOIDED]),
            seconds=min(request.ttl_seconds or _TTL_SECONDS, _LONGEST_TTL),
            platform=_short("platform", request.platform, _PLATFORM),
        )
        chosen = await self._pool.acquire(wish)
        until = Timestamp()
        until.FromDatetime(chosen.expires_at)
        return pb.AcquireResponse(proxy_id=chosen.proxy_id, url=chosen.url, lease_id=chosen.lease_id, expires_at=until)

    async def Release(self, request: pb.ReleaseRequest, context: Context) -> pb.ReleaseResponse:
        """End a lease."""
        await self._pool.release(request.lease_id)
        return pb.ReleaseResponse()

    async def Report(self, request: pb.ReportRequest, context: Context) -> pb.ReportResponse:
        """Count what a request showed."""
        told = Told(
            proxy_id=request.proxy_id,
            ok=request.ok,
            latency_ms=request.latency_ms,
            reason=request.error_text,
            lease_id=request.lease_id,
            platform=_short("platform", request.platform, _PLATFORM),
            refused=request.refused,
        )
        status = await self._pool.report(told)
        return pb.ReportResponse(status=status)

    async def Describe(self, request: pb.DescribeRequest, context: Context) -> pb.DescribeResponse:
        """Tell whether a proxy exists for an owner."""
        proxy = await self._pool.describe(request.owner_id, request.proxy_id)
        return pb.DescribeResponse(proxy_id=proxy.id, status=self._pool.state(proxy))


def _short(field: str, value: str, longest: int) -> str:
    """A field that fits its column. Raises BadRequestField."""
    if len(value) > longest:
        raise BadRequestField(field, "length", f"{field} must have at most {longest} characters.")
    return value
