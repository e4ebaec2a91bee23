"""Builds the processing service's HTTP app."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from fastapi import FastAPI

from xget_db.clock import ServerClock
from xget_db.engine import Database
from xget_db.migrations import upgrade
from xget_events.log import EventLog
from xget_kernel.clock import Clock
from xget_kernel.pages import PageQuery
from xget_processing.adapters.langdetect import FastLangdetect
from xget_processing.adapters.sources import opened_sources
from xget_processing.deps import Container, drift_rules, freeze_rules, opened_store
from xget_processing.models import RecordFilter
from xget_processing.router import router
from xget_processing.service.drift import DriftService
from xget_processing.service.freezing import FreezeService
from xget_processing.service.language import LanguageRules
from xget_processing.service.parsing import PageParser
from xget_processing.service.quarantine import QuarantineService
from xget_processing.settings import NAME, Settings
from xget_sources.ports import Source
from xget_web.app import build_app
from xget_web.auth import TokenVerifier
from xget_web.state import Verifier

TAGS: Final = [
    {"name": "quarantine", "description": "Records that no parser could read yet."},
    {"name": "parsers", "description": "What the parsers have read, and which of them are frozen."},
]


def create_app(
    settings: Settings,
    *,
    log: EventLog | None = None,
    clock: Clock | None = None,
    verifier: Verifier | None = None,
    sources: Mapping[str, Source] | None = None,
) -> FastAPI:
    """The processing service. Nothing runs before the lifespan begins.

    What replays find is announced by the worker's relay, so `log` is taken only because every service is built with
    the same call. `verifier` replaces the auth service's keys, `sources` the installed ones, by route.
    """
    time = ServerClock(clock)

    async def tables_answer() -> str | None:
        built: Container = app.state.processing
        await built.quarantine.find(RecordFilter(owner=""), PageQuery(size=1))
        return None

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            await asyncio.to_thread(upgrade, settings.tables_url, "xget_processing")
            database = Database(settings.tables_url)
            stack.push_async_callback(database.close)
            await stack.enter_async_context(time.following(database))
            parser = PageParser(await opened_sources(sources, stack), LanguageRules(FastLangdetect()))
            store = opened_store(settings, database, time)
            freezing = FreezeService(store, parser, time, freeze_rules(settings))
            app.state.processing = Container(
                QuarantineService(store, parser, time),
                freezing,
                DriftService(store, parser, time, drift_rules(settings)),
            )
            yield

    app = build_app(
        service=NAME,
        title="XGet processing",
        settings=settings,
        routers=[router],
        lifespan=lifespan,
        verifier=verifier or TokenVerifier.of(settings, time),
        tags=TAGS,
        readiness=[tables_answer],
    )
    return app
