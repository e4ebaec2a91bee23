"""What processing does with messages."""

from __future__ import annotations

from xget_contracts.events import AuthorForgotten, PageCollected
from xget_events import codec
from xget_events.log import EventLog, Record
from xget_events.runner import Handler
from xget_kernel.clock import Clock
from xget_processing.service.forgetting import ForgettingService
from xget_processing.service.reading import ReadingService
from xget_processing.settings import NAME

GROUP = "processing"
FORGETTING = "processing-forgotten"


def on_page_collected(
    reading: ReadingService, log: EventLog, topic: str, clock: Clock, forgetting: ForgettingService | None = None
) -> Handler:
    """`xget.pages`: parse, keep what is rejected, say on `topic` what was found; only then the pages count as read.

    Pages of a frozen parser count as read once they wait in the tables.
    """

    async def handle(records: list[Record]) -> None:
        pages = [(codec.decode(record, PageCollected), record.headers.get("traceparent")) for record in records]
        parsed = await reading.read(pages if forgetting is None else await forgetting.cleaned(pages))
        if not parsed:
            return
        now = clock.now()
        await log.publish(
            [
                codec.message(topic, one.page.execution_id, one.result, source=NAME, now=now, traceparent=trace)
                for one, trace in parsed
            ]
        )

    return handle


def on_author_forgotten(forgetting: ForgettingService) -> Handler:
    """`xget.forgotten`: take the author out of all that is kept, and keep them out."""

    async def handle(records: list[Record]) -> None:
        for record in records:
            await forgetting.take(codec.decode(record, AuthorForgotten))

    return handle
