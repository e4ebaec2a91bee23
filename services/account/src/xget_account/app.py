"""Builds the account service: HTTP app and gRPC server over one database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import FastAPI
from sqlalchemy import text

from xget.account.v1.account_pool_pb2_grpc import add_AccountPoolServicer_to_server
from xget_account.adapters.grpc import GrpcProxies
from xget_account.deps import Container
from xget_account.repository import FigureRepository, LeaseRepository
from xget_account.router import ROUTERS
from xget_account.rpc import SERVICE_NAME, AccountPool
from xget_account.service import LeaseService, Vault, Work
from xget_account.service.metrics import Figures, measure_accounts
from xget_account.settings import NAME, Settings
from xget_db.clock import ServerClock
from xget_db.engine import Database
from xget_db.migrations import upgrade
from xget_events.log import EventLog
from xget_kernel.breaker import Breaker
from xget_kernel.clock import Clock
from xget_rpc.client import RpcChannel
from xget_rpc.server import RpcServer
from xget_telemetry.breakers import watch_breakers
from xget_telemetry.metrics import Registry
from xget_web.app import build_app
from xget_web.auth import TokenVerifier
from xget_web.peers import peers_answer
from xget_web.state import Verifier

TAGS = [{"name": "accounts", "description": "Logins of platforms, their secrets and how they are."}]


def create_app(
    settings: Settings,
    *,
    log: EventLog | None = None,
    clock: Clock | None = None,
    verifier: Verifier | None = None,
) -> FastAPI:
    """The account service. `verifier` replaces the auth service's keys. Nothing runs before the lifespan begins.

    The service announces no events yet: `log` is taken because every service is built with the same call.
    """
    time = ServerClock(clock)
    metrics, peers = Registry(), list[Breaker]()
    watch_breakers(metrics, lambda: peers)

    async def tables_answer() -> str | None:
        async with app.state.account.database.read() as session:
            await session.execute(text("SELECT 1 FROM accounts LIMIT 1"))
        return None

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            await asyncio.to_thread(upgrade, settings.tables_url, "xget_account")
            database = Database(settings.tables_url)
            stack.push_async_callback(database.close)
            await stack.enter_async_context(time.following(database))
            channel = RpcChannel(settings.grpc_target(settings.proxy_service_url), settings.internal_token)
            stack.push_async_callback(channel.close)
            peers.append(channel.breaker)
            vault = Vault(settings.keyring())
            budget = settings.account_daily_budget
            app.state.account = Container(database, vault, time, budget, GrpcProxies(channel).exists)
            measure_accounts(metrics, figures_on(database), time, budget)
            pool = LeaseService(work_on(database), vault, time, daily_budget=budget, metrics=metrics)
            await pool.take_back()
            server = pool_server(settings, pool)
            app.state.grpc_port = await server.start()
            stack.push_async_callback(server.stop, 2.0)
            yield

    app = build_app(
        service=NAME,
        title="XGet accounts",
        settings=settings,
        routers=ROUTERS,
        lifespan=lifespan,
        verifier=verifier or TokenVerifier.of(settings, time),
        tags=TAGS,
        readiness=[tables_answer, peers_answer(peers)],
        registry=metrics,
    )
    return app


def pool_server(settings: Settings, pool: LeaseService) -> RpcServer:
    """The gRPC server of the pool, not started."""
    server = RpcServer(settings.host, settings.grpc_port, settings.internal_token)
    server.add(add_AccountPoolServicer_to_server, AccountPool(pool), SERVICE_NAME)
    return server


def figures_on(database: Database) -> Figures:
    """What is measured, each time from one state of the tables."""

    @asynccontextmanager
    async def figures() -> AsyncIterator[FigureRepository]:
        async with database.read() as session:
            yield FigureRepository(session)

    return figures


def work_on(database: Database) -> Work:
    """Repositories for the pool, each in a transaction of its own."""

    @asynccontextmanager
    async def work() -> AsyncIterator[LeaseRepository]:
        async with database.transaction() as session:
            yield LeaseRepository(session)

    return work
