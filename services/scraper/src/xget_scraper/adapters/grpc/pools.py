"""Accounts and proxies over gRPC: what exists, and sessions that lease them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import msgspec

from xget.account.v1 import account_pool_pb2 as accounts_pb
from xget.account.v1.account_pool_pb2_grpc import AccountPoolStub
from xget.proxy.v1 import proxy_pool_pb2 as proxies_pb
from xget.proxy.v1.proxy_pool_pb2_grpc import ProxyPoolStub
from xget_kernel.clock import Clock
from xget_kernel.errors import Invalid, NotFound
from xget_rpc.client import RpcChannel
from xget_scraper.adapters.grpc.session import PoolSession
from xget_scraper.ports import Left, Prices, Tenant
from xget_sources.ports import Session

DEADLINE_SECONDS: Final = 3.0


class GrpcPools:
    """Asks both services what an owner has."""

    def __init__(self, accounts: RpcChannel, proxies: RpcChannel) -> None:
        self._accounts = accounts.stub(AccountPoolStub)
        self._proxies = proxies.stub(ProxyPoolStub)

    async def has_account(self, owner_id: str, account_id: str) -> bool:
        """Whether the owner has this account. Raises Unavailable (503)."""
        request = accounts_pb.DescribeRequest(owner_id=owner_id, account_id=account_id)
        try:
            await self._accounts.Describe(request, timeout=DEADLINE_SECONDS)
        except (NotFound, Invalid):
            return False
        return True

    async def has_proxy(self, owner_id: str, proxy_id: str) -> bool:
        """Whether the owner has this proxy. Raises Unavailable (503)."""
        request = proxies_pb.DescribeRequest(owner_id=owner_id, proxy_id=proxy_id)
        try:
            await self._proxies.Describe(request, timeout=DEADLINE_SECONDS)
        except (NotFound, Invalid):
            return False
        return True

    async def left(self, owner_id: str, platform: str, operation: str, account_id: str | None) -> Left:
        """What the owner's accounts (or only this one) have left for an operation. Raises Unavailable (503)."""
        request = accounts_pb.BudgetRequest(
            owner_id=owner_id, platform=platform, operation=operation, account_id=account_id or ""
        )
        told = await self._accounts.Budget(request, timeout=DEADLINE_SECONDS)
        prices = Prices(**_fields(told.prices, Prices)) if told.HasField("prices") else None
        return Left(**(_fields(told, Left) | {"prices": prices}))


class GrpcSessions:
    """Opens sessions on both pools."""

    def __init__(self, accounts: RpcChannel, proxies: RpcChannel, clock: Clock, lease_seconds: int) -> None:
        self._accounts = accounts.stub(AccountPoolStub)
        self._proxies = proxies.stub(ProxyPoolStub)
        self._clock = clock
        self._lease_seconds = lease_seconds

    @asynccontextmanager
    async def open(self, tenant: Tenant) -> AsyncIterator[Session]:
        """A session; whatever it still leases at its end is given back."""
        session = PoolSession(self._accounts, self._proxies, self._clock, tenant, self._lease_seconds)
        try:
            yield session
        finally:
            await session.close()


def _fields(told: Any, kind: type[msgspec.Struct]) -> dict[str, Any]:
    return {name: getattr(told, name) for name in kind.__struct_fields__}
