"""What storage does with messages: one function per topic."""

from __future__ import annotations

from xget_contracts.events import PageCollected, PageParsed, PageStored
from xget_events import codec
from xget_events.log import EventLog, Record
from xget_events.runner import Handler
from xget_kernel.clock import Clock
from xget_storage.service.ingest import IndexService, IngestService
from xget_storage.service.metrics import StorageMetrics
from xget_telemetry.metrics import Registry

STORAGE = "storage"
RAW_PAGES = "storage-raw-pages"
SEARCH = "search-index"


def on_page_parsed(
    ingest: IngestService, log: EventLog, topic: str, clock: Clock, metrics: Registry | None = None
) -> Handler:
    """`xget.results`: store the items, then say so on `topic`; both before the messages count as read."""
    counted = StorageMetrics(metrics or Registry())

    async def handle(records: list[Record]) -> None:
        stored = await ingest.store([codec.decode(record, PageParsed) for record in records])
        now = clock.now()
        traces = [record.headers.get("traceparent") for record in records]
        traces += [None] * (len(stored) - len(records))  # other pages that lost counts to one of these
        await log.publish(
            [
                codec.message(topic, page.execution_id, page, source=STORAGE, now=now, traceparent=trace)
                for page, trace in zip(stored, traces, strict=True)
            ]
        )
        counted.stored(stored[: len(records)])

    return handle


def on_page_collected(ingest: IngestService) -> Handler:
    """`xget.pages`: keep the pages as received."""

    async def handle(records: list[Record]) -> None:
        await ingest.keep_raw([codec.decode(record, PageCollected) for record in records])

    return handle


def on_page_stored(indexing: IndexService, metrics: Registry | None = None) -> Handler:
    """`xget.stored`: make the items searchable."""
    counted = StorageMetrics(metrics or Registry())

    async def handle(records: list[Record]) -> None:
        keys = dict.fromkeys(key for record in records for key in codec.decode(record, PageStored).keys)
        await indexing.index(list(keys))
        counted.indexed(len(keys))

    return handle
