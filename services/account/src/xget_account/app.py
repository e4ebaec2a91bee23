"""Builds the account service: HTTP app and gRPC server over one database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from fastapi import FastAPI
from sqlalchemy import text

from xget.account.v1.account_pool_pb2_grpc import add_AccountPoolServicer_to_server
from xget_account.adapters.grpc import GrpcProxies
from xget_account.adapters.login.proxies import GrpcLoginProxies
from xget_account.adapters.topics import create_topics
from xget_account.deps import Container, ProxyExists
from xget_account.models import AUDIT, GRANTS, OUTBOX, SEALED, Audit
from xget_account.ports import LoginProxies
from xget_account.repository import FigureRepository, PoolTables
from xget_account.repository.ringing import room_bell
from xget_account.router import ROUTERS
from xget_account.rpc import SERVICE_NAME, AccountPool
from xget_account.service import LeaseService, Vault
from xget_account.service.api_access import Prices
from xget_account.service.app_pool import AppPool, apps_on
from xget_account.service.budgets import KeptSums
from xget_account.service.lending import Lending
from xget_account.service.metrics import Figures, measure_accounts
from xget_account.service.playbook import Book
from xget_account.settings import NAME, Settings
from xget_db.clock import ServerClock
from xget_db.engine import Database
from xget_db.migrations import upgrade
from xget_db.outbox import OutboxRelay
from xget_events.log import EventLog
from xget_events.opening import open_event_log
from xget_kernel.breaker import Breaker
from xget_kernel.clock import Clock
from xget_rpc.client import RpcChannel
from xget_rpc.server import RpcServer
from xget_rpc.users import UserDirectory
from xget_telemetry.breakers import watch_breakers
from xget_telemetry.metrics import Registry
from xget_telemetry.standard import measure_outbox
from xget_web.app import build_app
from xget_web.audit import Views
from xget_web.auth import TokenVerifier
from xget_web.grants import GrantDesk, Unknown
from xget_web.health import Check, Degraded
from xget_web.keys import keys_answer, keys_router, opened_keys
from xget_web.peers import outbox_answer, peers_answer
from xget_web.state import Verifier

TAGS = [{"name": "accounts", "description": "Logins of platforms, their secrets and how they are."}]


def create_app(
    settings: Settings,
    *,
    log: EventLog | None = None,
    clock: Clock | None = None,
    verifier: Verifier | None = None,
    unknown: Unknown | None = None,
) -> FastAPI:
    """The account service; `verifier` and `unknown` replace what the auth service says of keys and of users.

    Nothing runs before the lifespan begins. Events go to `log`, else to the one that the settings select.
    """
    time = ServerClock(clock)
    metrics, peers = Registry(), list[Breaker]()
    watch_breakers(metrics, lambda: peers)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            database = await _database(settings, time, stack)
            keys = opened_keys(app, settings, database, SEALED, trail=AUDIT, clock=time)
            desk = await stack.enter_async_context(keys)
            vault, book, cap = Vault(desk.keys.ring), Book(time, settings.playbook), settings.login_daily_cap
            budget, topic = settings.account_daily_budget, settings.kafka_topic_account_events
            exists, addresses = _proxies(settings, peers, stack)
            views = await stack.enter_async_context(Views(database, AUDIT, time).running())
            bell = room_bell(database, time, topic)
            stack.push_async_callback(bell.close)
            grants = _grants(database, Lending(bell, time, topic), unknown or _users(settings, peers, stack))
            app.state.account = Container(
                database, vault, time, budget, exists, book, views, grants, addresses, KeptSums(time), cap, topic
            )
            measure_accounts(metrics, figures_on(database), time, budget)
            pool = AppPool(
                PoolTables(database, topic), vault, time, apps=apps_on(database), daily_budget=budget, metrics=metrics,
                bell=bell, book=book,
            )  # fmt: skip
            stack.push_async_callback(pool.close)
            app.state.pool = pool
            await pool.take_back()
            desk.took_back = pool.take_back
            app.state.events = await _opened(settings, log, stack)
            app.state.relay = OutboxRelay(database, OUTBOX, app.state.events, time)
            measure_outbox(metrics, _relaying(app.state.relay, stack), time)
            app.state.grpc_port = await _serving(pool_server(settings, pool), stack)
            yield

    app = build_app(
        service=NAME,
        title="XGet accounts",
        settings=settings,
        routers=[keys_router("/api/v1/accounts/data-keys", "accounts"), *ROUTERS],
        lifespan=lifespan,
        verifier=verifier or TokenVerifier.of(settings, time),
        tags=TAGS,
        readiness=_readiness(lambda: app, peers, time),
        registry=metrics,
    )
    return app


async def _database(settings: Settings, time: ServerClock, stack: AsyncExitStack) -> Database:
    """The tables as they are to be, and their server's time."""
    await asyncio.to_thread(upgrade, settings.tables_url, "xget_account")
    database = Database(settings.tables_url)
    stack.push_async_callback(database.close)
    await stack.enter_async_context(time.following(database))
    return database


def _grants(database: Database, lending: Lending, unknown: Unknown) -> GrantDesk:
    return GrantDesk(
        database=database,
        table=GRANTS,
        audit=Audit,
        clock=lending.clock,
        owner_of=lending.owner_of,
        given=lending.given,
        unknown=unknown,
    )


def _readiness(app: Callable[[], FastAPI], peers: list[Breaker], clock: Clock) -> list[Check]:
    def state() -> Any:
        return app().state

    return [_tables(state), keys_answer(app), peers_answer(peers), _announces(state, clock), _playbook(state)]


def _proxies(
    settings: Settings, peers: list[Breaker], stack: AsyncExitStack
) -> tuple[ProxyExists, LoginProxies]:  # fmt: skip
    """What the proxy service says of proxies."""
    channel = _channel(settings, settings.proxy_service_url, peers, stack)
    return GrpcProxies(channel).exists, GrpcLoginProxies(channel)


def _channel(settings: Settings, url: str, peers: list[Breaker], stack: AsyncExitStack) -> RpcChannel:
    """The way to another service."""
    channel = RpcChannel(settings.grpc_target(url), settings.internal_token)
    stack.push_async_callback(channel.close)
    peers.append(channel.breaker)
    return channel


def _users(settings: Settings, peers: list[Breaker], stack: AsyncExitStack) -> Unknown:
    """What the auth service says of who is a user."""
    return UserDirectory(_channel(settings, settings.auth_service_url, peers, stack)).unknown


async def _serving(server: RpcServer, stack: AsyncExitStack) -> int:
    """Start a gRPC server; its port."""
    port = await server.start()
    stack.push_async_callback(server.stop, 2.0)
    return port


def _tables(state: Callable[[], Any]) -> Check:
    async def tables_answer() -> str | None:
        async with state().account.database.read() as session:
            await session.execute(text("SELECT 1 FROM accounts LIMIT 1"))
        return None

    return tables_answer


def _playbook(state: Callable[[], Any]) -> Check:
    async def playbook_is_in_force() -> str | None:
        book = state().account.book
        _ = book.current  # looks at its file
        return Degraded(f"The playbook's file is not in force: {book.trouble}") if book.trouble else None

    return playbook_is_in_force


def _announces(state: Callable[[], Any], clock: Clock) -> Check:
    return outbox_answer(lambda: state().relay, clock, lambda: state().events.trouble)


async def _opened(settings: Settings, log: EventLog | None, stack: AsyncExitStack) -> EventLog:
    """The event log with the topic of account events."""
    if log is None:
        log = open_event_log(settings)
        stack.push_async_callback(log.close)
    await create_topics(log, settings)
    return log


def _relaying(relay: OutboxRelay, stack: AsyncExitStack) -> OutboxRelay:
    """Send what is announced, until the app ends."""
    stop = asyncio.Event()
    running = asyncio.create_task(relay.run(stop))

    async def end() -> None:
        stop.set()
        await running

    stack.push_async_callback(end)
    return relay


def pool_server(settings: Settings, pool: LeaseService) -> RpcServer:
    """The gRPC server of the pool, not started."""
    server = RpcServer(settings.host, settings.grpc_port, settings.internal_token)
    server.add(add_AccountPoolServicer_to_server, AccountPool(pool, prices(settings)), SERVICE_NAME)
    return server


def prices(settings: Settings) -> Prices:
    """What official APIs cost."""
    return Prices.usd(settings.api_post_usd, settings.api_user_usd, settings.api_request_usd)


def figures_on(database: Database) -> Figures:
    """What is measured, each time from one state of the tables."""

    @asynccontextmanager
    async def figures() -> AsyncIterator[FigureRepository]:
        async with database.read() as session:
            yield FigureRepository(session)

    return figures
