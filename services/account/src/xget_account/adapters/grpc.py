"""The proxy service over gRPC."""

from __future__ import annotations

from xget.proxy.v1 import proxy_pool_pb2 as pb
from xget.proxy.v1.proxy_pool_pb2_grpc import ProxyPoolStub
from xget_account.errors import ProxiesUnavailable
from xget_kernel.errors import Invalid, NotFound, XGetError
from xget_rpc.client import RpcChannel

DEADLINE_SECONDS = 3.0


class GrpcProxies:
    """Asks the proxy service whether a proxy exists."""

    def __init__(self, channel: RpcChannel) -> None:
        self._pool = channel.stub(ProxyPoolStub)

    async def exists(self, owner_id: str, proxy_id: str) -> bool:
        """Whether the owner has the proxy. Raises ProxiesUnavailable (503) when the service does not answer."""
        try:
            await self._pool.Describe(
                pb.DescribeRequest(owner_id=owner_id, proxy_id=proxy_id), timeout=DEADLINE_SECONDS
            )
        except (NotFound, Invalid):
            return False
        except XGetError as error:
            raise ProxiesUnavailable() from error
        return True
