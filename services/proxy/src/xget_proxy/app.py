"""Builds the proxy service: HTTP app and gRPC server over one database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from fastapi import FastAPI
from sqlalchemy import text

from xget.proxy.v1.proxy_pool_pb2_grpc import add_ProxyPoolServicer_to_server
from xget_db.clock import ServerClock
from xget_db.engine import Database
from xget_db.migrations import upgrade
from xget_events.log import EventLog
from xget_kernel.breaker import Breaker
from xget_kernel.clock import Clock
from xget_proxy.adapters.checking import checks_on, providers_on
from xget_proxy.adapters.dns import system_addresses
from xget_proxy.adapters.mmdb import GeoBooks
from xget_proxy.deps import Container, units
from xget_proxy.models import AUDIT, SEALED
from xget_proxy.repository import AgainTables, ProxyRepository
from xget_proxy.router import ROUTERS
from xget_proxy.rpc import SERVICE_NAME, ProxyPool
from xget_proxy.service import Allowed, Gate, PoolService, Resolve, Vault
from xget_proxy.service.metrics import PROXIES
from xget_proxy.service.trail import grants_on
from xget_proxy.settings import NAME, Settings
from xget_rpc.client import RpcChannel
from xget_rpc.server import RpcServer
from xget_rpc.users import UserDirectory
from xget_telemetry.breakers import watch_breakers
from xget_telemetry.metrics import Registry
from xget_web.app import build_app
from xget_web.audit import Views
from xget_web.auth import TokenVerifier
from xget_web.grants import Unknown
from xget_web.keys import keys_answer, keys_router, opened_keys
from xget_web.peers import peers_answer
from xget_web.state import Verifier

TAGS = [{"name": "proxies", "description": "Ways out, and how well they work."}]


def create_app(
    settings: Settings,
    *,
    log: EventLog | None = None,
    clock: Clock | None = None,
    verifier: Verifier | None = None,
    resolve: Resolve = system_addresses,
    unknown: Unknown | None = None,
) -> FastAPI:
    """The proxy service. Nothing runs before the lifespan begins.

    `verifier` and `unknown` replace what the auth service says of keys and of users, `resolve` the system's way to look
    host names up. `log` is taken as every service takes one; the worker's relay sends what is announced.
    """
    time = ServerClock(clock)
    metrics, peers = Registry(), list[Breaker]()
    watch_breakers(metrics, lambda: peers)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            await asyncio.to_thread(upgrade, settings.tables_url, "xget_proxy")
            database = Database(settings.tables_url)
            stack.push_async_callback(database.close)
            await stack.enter_async_context(time.following(database))
            desk = await stack.enter_async_context(
                opened_keys(app, settings, database, SEALED, trail=AUDIT, clock=time)
            )
            vault = Vault(desk.keys.ring)
            gate = Gate(Allowed.parse(settings.proxy_allow_networks), resolve, time)
            places = GeoBooks(settings.geoip_db)
            stack.callback(places.close)
            checks = checks_on(database, settings, vault=vault, gate=gate, places=places, clock=time)
            providers = providers_on(database, settings, vault=vault, gate=gate, clock=time)
            views = Views(database, AUDIT, time)
            await stack.enter_async_context(views.running())
            grants = grants_on(database, time, unknown or _users(settings, peers, stack))
            app.state.proxy = Container(database, vault, time, gate, checks, providers, views, grants)
            metrics.sampled(PROXIES, partial(_proxies, database))
            work = units(database.transaction, settings.kafka_topic_proxy_events)
            pool = PoolService(work, AgainTables(database), vault, gate, time, metrics=metrics)
            stack.push_async_callback(pool.close)
            await pool.take_back()
            desk.took_back = pool.take_back
            app.state.grpc_port = await _serving(settings, pool, stack)
            yield

    app: FastAPI = build_app(
        service=NAME,
        title="XGet proxies",
        settings=settings,
        routers=[keys_router("/api/v1/proxies/data-keys", "proxies"), *ROUTERS],
        lifespan=lifespan,
        verifier=verifier or TokenVerifier.of(settings, time),
        tags=TAGS,
        readiness=[partial(_tables_answer, lambda: app), keys_answer(lambda: app), peers_answer(peers)],
        registry=metrics,
    )
    return app


def _users(settings: Settings, peers: list[Breaker], stack: AsyncExitStack) -> Unknown:
    """What the auth service says of who is a user."""
    channel = RpcChannel(settings.grpc_target(settings.auth_service_url), settings.internal_token)
    stack.push_async_callback(channel.close)
    peers.append(channel.breaker)
    return UserDirectory(channel).unknown


async def _serving(settings: Settings, pool: PoolService, stack: AsyncExitStack) -> int:
    """The port of the pool's gRPC server, which stops with `stack`."""
    server = RpcServer(settings.host, settings.grpc_port, settings.internal_token)
    server.add(add_ProxyPoolServicer_to_server, ProxyPool(pool), SERVICE_NAME)
    port = await server.start()
    stack.push_async_callback(server.stop, 2.0)
    return port


async def _tables_answer(app: Callable[[], FastAPI]) -> str | None:
    async with app().state.proxy.database.read() as session:
        await session.execute(text("SELECT 1 FROM proxies LIMIT 1"))
    return None


async def _proxies(database: Database) -> dict[tuple[str, ...], float]:
    async with database.read() as session:
        return await ProxyRepository(session).by_status()
