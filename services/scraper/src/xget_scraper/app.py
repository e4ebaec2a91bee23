"""Builds the scraper service's HTTP app."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final

from fastapi import FastAPI

from xget_db.clock import ServerClock
from xget_db.engine import Database
from xget_db.migrations import upgrade
from xget_db.outbox import OutboxRelay
from xget_events.log import EventLog
from xget_events.opening import open_event_log
from xget_kernel.breaker import Breaker
from xget_kernel.clock import Clock
from xget_rpc.client import RpcChannel
from xget_scraper.adapters.grpc import GrpcItems, GrpcPools, GrpcSessions
from xget_scraper.adapters.topics import create_topics
from xget_scraper.deps import Container
from xget_scraper.models import OUTBOX
from xget_scraper.repository import Store
from xget_scraper.router import ROUTERS
from xget_scraper.schemas.openapi import describe_types
from xget_scraper.service.drafts import Drafts
from xget_scraper.service.expecting import Expecting
from xget_scraper.service.metrics import EXECUTIONS
from xget_scraper.service.platforms import by_platform
from xget_scraper.service.preview import PreviewService
from xget_scraper.service.results import ResultService
from xget_scraper.service.watching import WatchService
from xget_scraper.settings import Settings
from xget_sources.ports import Source
from xget_sources.registry import load_sources
from xget_telemetry.breakers import watch_breakers
from xget_telemetry.metrics import Registry
from xget_telemetry.standard import measure_outbox
from xget_web.app import build_app
from xget_web.auth import TokenVerifier
from xget_web.health import Check
from xget_web.peers import outbox_answer, peers_answer
from xget_web.state import Verifier

TAGS: Final = [
    {"name": "tasks", "description": "What is to be collected."},
    {"name": "results", "description": "What was collected, and how it goes."},
    {"name": "executions", "description": "Runs of tasks, and the proof of what they did."},
]


def create_app(
    settings: Settings,
    *,
    log: EventLog | None = None,
    clock: Clock | None = None,
    verifier: Verifier | None = None,
    sources: Mapping[str, Source] | None = None,
) -> FastAPI:
    """The scraper service. Nothing runs before the lifespan begins.

    Without `log` it opens the one that the settings select; `verifier` replaces the auth service's keys, `sources` the
    installed ones.
    """
    time = ServerClock(clock)
    known = by_platform(load_sources() if sources is None else sources)
    metrics, peers = Registry(), list[Breaker]()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            events = log
            if events is None:
                events = open_event_log(settings)
                stack.push_async_callback(events.close)
            if sources is None:
                for source in known.routes.values():
                    stack.push_async_callback(source.close)
            app.state.scraper = built = await _build(settings, time, known, stack, peers)
            await create_topics(events, settings)
            app.state.events = events
            app.state.relay = await _relay(built.database, events, time, stack, metrics)
            yield

    async def executions() -> dict[tuple[str, ...], float]:
        built: Container = app.state.scraper
        async with built.store.read() as unit:
            return await unit.figures.executions()

    async def tables_answer() -> str | None:
        async with app.state.scraper.store.read() as unit:
            await unit.executions.next_due()
        return None

    app = build_app(
        service="scraper",
        title="XGet scraper",
        settings=settings,
        routers=ROUTERS,
        lifespan=lifespan,
        readiness=[tables_answer, peers_answer(peers), _outbox_answer(lambda: app.state, time)],
        verifier=verifier or TokenVerifier.of(settings, time),
        tags=TAGS,
        registry=metrics,
    )
    metrics.sampled(EXECUTIONS, executions)
    watch_breakers(metrics, lambda: peers)
    return _with_types(app, known)


async def _build(
    settings: Settings, clock: ServerClock, sources: Mapping[str, Source], stack: AsyncExitStack, peers: list[Breaker]
) -> Container:
    await asyncio.to_thread(upgrade, settings.tables_url, "xget_scraper")
    database = Database(settings.tables_url)
    stack.push_async_callback(database.close)
    await stack.enter_async_context(clock.following(database))
    accounts, proxies, storage = (
        RpcChannel(settings.grpc_target(url), settings.internal_token)
        for url in (settings.account_service_url, settings.proxy_service_url, settings.storage_service_url)
    )
    for channel in (accounts, proxies, storage):
        stack.push_async_callback(channel.close)
        peers.append(channel.breaker)
    store, pools = Store(database), GrpcPools(accounts, proxies)
    drafts = Drafts(sources, pools, clock)
    sessions = GrpcSessions(accounts, proxies, clock, settings.scraper_account_lease_seconds)
    expecting = Expecting(sessions, pools)
    return Container(
        database=database,
        store=store,
        clock=clock,
        topic=settings.kafka_topic_tasks,
        drafts=drafts,
        previews=PreviewService(drafts, pools, expecting),
        results=ResultService(store, GrpcItems(storage)),
        watching=WatchService(store, clock, settings.scraper_sse_seconds),
    )


async def _relay(
    database: Database, log: EventLog, clock: Clock, stack: AsyncExitStack, metrics: Registry
) -> OutboxRelay:
    stop, relay = asyncio.Event(), OutboxRelay(database, OUTBOX, log, clock)
    measure_outbox(metrics, relay, clock)
    relaying = asyncio.create_task(relay.run(stop))

    async def end() -> None:
        stop.set()
        await relaying

    stack.push_async_callback(end)
    return relay


def _outbox_answer(state: Callable[[], Any], clock: Clock) -> Check:
    return outbox_answer(lambda: state().relay, clock, lambda: state().events.trouble)


def _with_types(app: FastAPI, sources: Mapping[str, Source]) -> FastAPI:
    """Let the OpenAPI document show the parameters of every task type."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        return describe_types(generate(), sources.values())

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's own way to extend the document
    return app
