"""Storage's background work."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from xget_contracts.events import AuthorForgotten
from xget_events import codec
from xget_events.log import EventLog
from xget_events.runner import ConsumerRunner, Handler
from xget_kernel.clock import Clock, SystemClock
from xget_kernel.errors import StartupError
from xget_sources.registry import load_records
from xget_storage import consumers, tasks
from xget_storage.adapters.stores import Stores
from xget_storage.adapters.topics import create_topics
from xget_storage.service.ingest import IndexService, IngestService
from xget_storage.service.raw_cleaning import RawCleaner
from xget_storage.service.rebuilding import Progress, RebuildService
from xget_storage.service.sweeping import Sweeper
from xget_storage.settings import Settings
from xget_telemetry.breakers import watch_breakers
from xget_telemetry.metrics import Registry


class Worker:
    """Consumers and periodic work on their own connections to the files."""

    def __init__(self, settings: Settings, log: EventLog, clock: Clock, metrics: Registry | None = None) -> None:
        self.metrics = metrics or Registry()
        self.begun = asyncio.Event()
        """Set when it has all that it needs and works."""
        self._settings = settings
        self._log = log
        self._clock = clock
        self._stores: Stores | None = None
        self._cleaner = RawCleaner(load_records())

    def degraded(self) -> dict[str, str]:
        """What works less well now, as sentences by what they are about."""
        trouble = self._stores.search_trouble if self._stores else None
        return {"search": f"Search is away: {trouble}"} if trouble else {}

    async def _tell_forgotten(self, event: AuthorForgotten) -> None:
        topic, now = self._settings.kafka_topic_forgotten, self._clock.now()
        await self._log.publish([codec.message(topic, event.author_key, event, source=consumers.STORAGE, now=now)])

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop`; then finish the batches in hand. Raises StartupError when a file cannot be used."""
        await create_topics(self._log, self._settings)
        opening = Stores.opened(self._settings, self.metrics, search_later=True)
        async with opening as stores, asyncio.TaskGroup() as group:
            self._stores = stores
            watch_breakers(self.metrics, lambda: stores.breakers)
            self.begun.set()
            for runner in self._runners(stores):
                group.create_task(runner.run(stop))
            indexing = IndexService(stores.documents, stores.search)
            group.create_task(tasks.repeat(partial(tasks.catch_up_search, indexing), tasks.CATCH_UP_SECONDS, stop))
            drop = partial(tasks.drop_old_pages, stores.raw_pages, self._clock, self._settings.raw_page_days)
            group.create_task(tasks.repeat(drop, tasks.RETENTION_SECONDS, stop))
            sweeper = Sweeper(stores.documents, stores.raw_pages, self._cleaner, self._tell_forgotten, self._clock)
            group.create_task(tasks.repeat(sweeper.run, tasks.TAKEDOWN_SECONDS, stop))

    def _runners(self, stores: Stores) -> list[ConsumerRunner]:
        settings = self._settings
        ingest = IngestService(stores.documents, stores.raw_pages, self._clock, self._cleaner)
        indexing = IndexService(stores.documents, stores.search)
        stored = settings.kafka_topic_stored
        return [
            self._runner(
                consumers.STORAGE,
                settings.kafka_topic_results,
                consumers.on_page_parsed(ingest, self._log, stored, self._clock, self.metrics),
            ),
            self._runner(consumers.RAW_PAGES, settings.kafka_topic_pages, consumers.on_page_collected(ingest)),
            self._runner(consumers.SEARCH, stored, consumers.on_page_stored(indexing, self.metrics)),
        ]

    def _runner(self, group: str, topic: str, handler: Handler) -> ConsumerRunner:
        batch, member = self._settings.storage_batch_messages, self._settings.member
        return ConsumerRunner(self._log, group, [topic], handler, batch=batch, member=member, registry=self.metrics)


def create_worker(
    settings: Settings, *, log: EventLog, clock: Clock | None = None, metrics: Registry | None = None
) -> Worker:
    """Storage's worker on `log`; `run(stop)` does the work."""
    return Worker(settings, log, clock or SystemClock(), metrics)


async def rebuild_search(settings: Settings, told: Callable[[Progress], None]) -> Progress:
    """Build search again from the documents that `settings` select, beside services and workers that use both.

    Raises StartupError when an engine cannot be used, and what `RebuildService.run` raises.
    """
    documents = settings.home / "documents.db"
    if not settings.is_real("documents") and not documents.exists():
        raise StartupError(f"There are no documents in {settings.home}: name their folder with --home or XGET_HOME.")
    async with Stores.opened(settings) as stores:
        return await RebuildService(stores.documents, stores.search).run(told)
