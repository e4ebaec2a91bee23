"""Builds the storage service: HTTP app and gRPC server over the stores."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from fastapi import FastAPI

from xget.storage.v1.item_reader_pb2_grpc import add_ItemReaderServicer_to_server
from xget_events.log import EventLog
from xget_kernel.breaker import Breaker
from xget_kernel.clock import Clock, SystemClock
from xget_kernel.errors import XGetError
from xget_kernel.pages import PageQuery
from xget_rpc.server import RpcServer
from xget_sources.registry import load_records
from xget_storage.adapters.stores import Stores
from xget_storage.deps import Container
from xget_storage.ports import ItemFilter
from xget_storage.router import ROUTERS
from xget_storage.rpc import SERVICE_NAME, ItemReader
from xget_storage.service.ingest import IndexService
from xget_storage.service.items import DataService
from xget_storage.service.observing import ObservingService
from xget_storage.service.raw import RawService
from xget_storage.service.reading import ReadService
from xget_storage.service.takedowns import TakedownService
from xget_storage.settings import Settings
from xget_telemetry.breakers import watch_breakers
from xget_telemetry.metrics import Registry
from xget_web import health
from xget_web.app import build_app
from xget_web.auth import TokenVerifier
from xget_web.health import Degraded
from xget_web.state import Verifier

TAGS: Final = [{"name": "data", "description": "Items: what was collected, and what people made of it."}]


def create_app(
    settings: Settings,
    *,
    log: EventLog | None = None,
    clock: Clock | None = None,
    verifier: Verifier | None = None,
) -> FastAPI:
    """The storage service. `verifier` replaces the auth service's keys. Nothing runs before the lifespan begins.

    The app announces no events: `log` is taken because every service is built with the same call.
    """
    time = clock or SystemClock()
    metrics, peers = Registry(), list[Breaker]()

    async def documents_answer() -> str | None:
        reader: ReadService = app.state.storage.reader
        try:
            async with asyncio.timeout(health.CHECK_SECONDS * 0.75):
                await reader.find(ItemFilter(owner=""), PageQuery(size=1), None)
        except TimeoutError:
            name = "MongoDB" if settings.is_real("documents") else "The file of documents"
            return f"{name} does not answer in time."
        return None

    async def search_answers() -> str | None:
        reader: ReadService = app.state.storage.reader
        return await _degraded(reader.try_search())

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            stores = await stack.enter_async_context(Stores.opened(settings, metrics, search_later=True))
            peers.extend(stores.breakers)
            reader = ReadService(stores.documents, stores.search, stores.analyzer)
            app.state.storage = _container(settings, stores, reader, time)
            server = RpcServer(settings.host, settings.grpc_port, settings.internal_token)
            server.add(add_ItemReaderServicer_to_server, ItemReader(reader), SERVICE_NAME)
            app.state.grpc_port = await server.start()
            stack.push_async_callback(server.stop, 2.0)
            yield

    app = build_app(
        service="storage",
        title="XGet storage",
        settings=settings,
        routers=ROUTERS,
        lifespan=lifespan,
        verifier=verifier or TokenVerifier.of(settings, time),
        tags=TAGS,
        readiness=[documents_answer, search_answers],
        registry=metrics,
    )
    watch_breakers(metrics, lambda: peers)
    return app


def _container(settings: Settings, stores: Stores, reader: ReadService, clock: Clock) -> Container:
    return Container(
        data=DataService(stores.documents, IndexService(stores.documents, stores.search), clock),
        reader=reader,
        seen=ObservingService(stores.documents),
        raw=RawService(stores.documents, stores.raw_pages, load_records(), clock, settings.raw_page_days),
        takedowns=TakedownService(stores.documents, clock),
    )


async def _degraded(work: Awaitable[None]) -> str | None:
    """What is wrong with search: without it everything else can be done, and it catches up by itself."""
    try:
        async with asyncio.timeout(health.CHECK_SECONDS * 0.75):
            await work
    except XGetError as error:
        return Degraded(f"Search is away: {error.detail}")
    except TimeoutError:
        return Degraded("Search is away: it does not answer in time.")
    return None
