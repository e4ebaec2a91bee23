"""Builds processing's worker: it parses what was collected."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack

from xget_db.clock import ServerClock
from xget_db.engine import Database
from xget_db.migrations import upgrade
from xget_db.outbox import OutboxRelay
from xget_events.log import EventLog
from xget_events.runner import ConsumerRunner, Handler
from xget_kernel.clock import Clock
from xget_processing.adapters.langdetect import FastLangdetect
from xget_processing.adapters.sources import opened_sources
from xget_processing.adapters.topics import create_topics
from xget_processing.consumers import FORGETTING, GROUP, on_author_forgotten, on_page_collected
from xget_processing.deps import drift_rules, freeze_rules, opened_store
from xget_processing.models import OUTBOX
from xget_processing.repository import Store
from xget_processing.service.drift import DriftService
from xget_processing.service.forgetting import ForgettingService
from xget_processing.service.freezing import FreezeService
from xget_processing.service.language import LanguageRules
from xget_processing.service.metrics import ParserMetrics, measure_drift, measure_parsers
from xget_processing.service.parsing import PageParser
from xget_processing.service.quarantine import QuarantineService
from xget_processing.service.reading import ReadingService
from xget_processing.settings import Settings
from xget_processing.tasks import read_waiting
from xget_sources.ports import Source
from xget_sources.records import Records
from xget_sources.registry import load_records
from xget_telemetry.metrics import Registry
from xget_telemetry.standard import measure_outbox


class Worker:
    """Parses pages, and sends what replays found. Run as many as you like on one database."""

    def __init__(
        self,
        settings: Settings,
        log: EventLog,
        clock: ServerClock,
        sources: Mapping[str, Source] | None,
        metrics: Registry | None = None,
    ) -> None:
        self.metrics = metrics or Registry()
        self.begun = asyncio.Event()
        """Set when it has all that it needs and works."""
        self._settings = settings
        self._log = log
        self._clock = clock
        self._sources = sources
        self.records: Mapping[str, Records] | None = None
        """What looks into pages, by platform; None = what is installed."""

    def degraded(self) -> dict[str, str]:
        """What works less well now, as sentences by what they are about: nothing that this worker knows of."""
        return {}

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set; then finish the batch in hand and close."""
        settings = self._settings
        async with AsyncExitStack() as stack:
            await asyncio.to_thread(upgrade, settings.tables_url, "xget_processing")
            database = Database(settings.tables_url)
            stack.push_async_callback(database.close)
            await stack.enter_async_context(self._clock.following(database))
            await create_topics(self._log, settings)
            parser = PageParser(await opened_sources(self._sources, stack), LanguageRules(FastLangdetect()))
            reading = self._reading(database, parser)
            relay = OutboxRelay(database, OUTBOX, self._log, self._clock)
            measure_outbox(self.metrics, relay, self._clock)
            self.begun.set()
            async with asyncio.TaskGroup() as group:
                for runner in self._runners(reading, opened_store(settings, database, self._clock)):
                    group.create_task(runner.run(stop))
                group.create_task(relay.run(stop))
                group.create_task(read_waiting(reading, self._clock, settings.processing_thaw_seconds, stop))

    def _reading(self, database: Database, parser: PageParser) -> ReadingService:
        store = opened_store(self._settings, database, self._clock)
        freezing = FreezeService(store, parser, self._clock, freeze_rules(self._settings))
        measure_parsers(self.metrics, freezing.states)
        drift = DriftService(store, parser, self._clock, drift_rules(self._settings))
        measure_drift(self.metrics, drift.counts)
        quarantine = QuarantineService(store, parser, self._clock)
        return ReadingService(
            store=store,
            parser=parser,
            quarantine=quarantine,
            freezing=freezing,
            drift=drift,
            metrics=ParserMetrics(self.metrics),
        )

    def _runners(self, reading: ReadingService, store: Store) -> list[ConsumerRunner]:
        settings = self._settings
        forgetting = ForgettingService(store, load_records() if self.records is None else self.records)
        collected = on_page_collected(reading, self._log, settings.kafka_topic_results, self._clock, forgetting)
        return [
            self._runner(GROUP, settings.kafka_topic_pages, collected),
            self._runner(FORGETTING, settings.kafka_topic_forgotten, on_author_forgotten(forgetting)),
        ]

    def _runner(self, group: str, topic: str, handler: Handler) -> ConsumerRunner:
        settings = self._settings
        return ConsumerRunner(
            self._log,
            group,
            [topic],
            handler,
            batch=settings.processing_batch_pages,
            member=settings.member,
            registry=self.metrics,
        )


def create_worker(
    settings: Settings,
    *,
    log: EventLog,
    clock: Clock | None = None,
    sources: Mapping[str, Source] | None = None,
    metrics: Registry | None = None,
    records: Mapping[str, Records] | None = None,
) -> Worker:
    """Processing's worker on `log`; `sources` replace the installed ones, by route, and `records` by platform."""
    worker = Worker(settings, log, ServerClock(clock), sources, metrics)
    worker.records = records
    return worker
