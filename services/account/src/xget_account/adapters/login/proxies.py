"""An account's proxy from the proxy service over gRPC."""

from __future__ import annotations

from xget.proxy.v1 import proxy_pool_pb2 as pb
from xget.proxy.v1.proxy_pool_pb2_grpc import ProxyPoolStub
from xget_kernel.errors import NotFound
from xget_kernel.secrets import Secret
from xget_rpc.client import RpcChannel, RpcError

DEADLINE_SECONDS = 5.0


class GrpcLoginProxies:
    """Implements `LoginProxies`."""

    def __init__(self, channel: RpcChannel) -> None:
        self._pool = channel.stub(ProxyPoolStub)

    async def address(self, owner_id: str, proxy_id: str | None) -> Secret | None:
        """URL of the proxy; None when the owner has none. Raises XGetError."""
        request = pb.AcquireRequest(owner_id=owner_id, proxy_id=proxy_id or "")
        try:
            return Secret((await self._pool.Acquire(request, timeout=DEADLINE_SECONDS)).url)
        except NotFound as error:
            metadata = error.metadata if isinstance(error, RpcError) else {}
            if proxy_id or metadata.get("any_exists") == "true":
                raise
            return None
