"""What processing does with messages."""

from __future__ import annotations

import asyncio

from xget_contracts.events import PageCollected
from xget_events import codec
from xget_events.log import EventLog, Record
from xget_events.runner import Handler
from xget_kernel.clock import Clock
from xget_processing.service.metrics import ParserMetrics
from xget_processing.service.parsing import PageParser
from xget_processing.service.quarantine import QuarantineService
from xget_processing.settings import NAME
from xget_telemetry.metrics import Registry

GROUP = "processing"


def on_page_collected(
    parser: PageParser,
    quarantine: QuarantineService,
    log: EventLog,
    topic: str,
    clock: Clock,
    *,
    metrics: Registry | None = None,
) -> Handler:
    """`xget.pages`: parse, keep what is rejected, say on `topic` what was found; only then the pages count as read."""
    counted = ParserMetrics(metrics or Registry())

    async def handle(records: list[Record]) -> None:
        pages = [codec.decode(record, PageCollected) for record in records]
        parsed = [await asyncio.to_thread(parser.parse, page) for page in pages]
        await quarantine.record(parsed)
        now = clock.now()
        await log.publish(
            [
                codec.message(
                    topic,
                    one.page.execution_id,
                    one.result,
                    source=NAME,
                    now=now,
                    traceparent=record.headers.get("traceparent"),
                )
                for one, record in zip(parsed, records, strict=True)
            ]
        )
        counted.parsed(parsed)

    return handle
