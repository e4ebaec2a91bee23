"""ProxyPool over gRPC."""

from __future__ import annotations

import grpc

from xget.proxy.v1 import proxy_pool_pb2 as pb
from xget.proxy.v1.proxy_pool_pb2_grpc import ProxyPoolServicer
from xget_proxy.errors import BadRequestField
from xget_proxy.service import PoolService

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
        chosen = await self._pool.acquire(request.owner_id, request.proxy_id, request.country)
        return pb.AcquireResponse(proxy_id=chosen.proxy_id, url=chosen.url)

    async def Report(self, request: pb.ReportRequest, context: Context) -> pb.ReportResponse:
        """Count what a request showed."""
        status = await self._pool.report(
            request.proxy_id, ok=request.ok, latency_ms=request.latency_ms, reason=request.error_text
        )
        return pb.ReportResponse(status=status)

    async def Describe(self, request: pb.DescribeRequest, context: Context) -> pb.DescribeResponse:
        """Tell whether a proxy exists for an owner."""
        proxy = await self._pool.describe(request.owner_id, request.proxy_id)
        return pb.DescribeResponse(proxy_id=proxy.id, status=self._pool.state(proxy))
