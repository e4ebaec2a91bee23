"""Traces across the log: each message goes on in the trace that sent it, a batch links to all of its messages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import msgspec

from xget_events.log import Record
from xget_telemetry import tracing
from xget_telemetry.tracing import SpanKind


@contextmanager
def traced(group: str, records: list[Record]) -> Iterator[list[Record]]:
    """The records with `traceparent` headers of their own processing, for what a handler sends on.

    The handler's work is one span for the batch, with a link to every message. It belongs to the messages' trace when
    they have one in common, else to a trace of its own. Messages without a trace stay without one.
    """
    parents = [record.headers.get(tracing.TRACEPARENT, "") for record in records]
    if not tracing.current().on or not any(parents):
        yield records
        return
    with ExitStack() as stack:
        spans = [_processing(group, record, parent) for record, parent in zip(records, parents, strict=True)]
        for span in spans:
            stack.callback(span.end)
        stack.enter_context(_batch(group, records, parents, spans))
        yield [_carrying(record, span) for record, span in zip(records, spans, strict=True)]


def _processing(group: str, record: Record, parent: str) -> tracing.Span:
    if not parent:
        return tracing.NO_SPAN
    attributes: tracing.Attributes = {
        "messaging.system": "xget",
        "messaging.operation.type": "process",
        "messaging.destination.name": record.topic,
        "messaging.consumer.group.name": group,
        "messaging.destination.partition.id": str(record.partition),
        "messaging.message.offset": record.offset,
    }
    return tracing.start(f"process {record.topic}", kind=SpanKind.CONSUMER, parent=parent, attributes=attributes)


@contextmanager
def _batch(
    group: str, records: Sequence[Record], parents: Sequence[str], spans: Sequence[tracing.Span]
) -> Iterator[None]:
    known = [(parent, span) for parent, span in zip(parents, spans, strict=True) if parent]
    common = len({span.get_span_context().trace_id for _, span in known}) == 1
    attributes: tracing.Attributes = {
        "messaging.consumer.group.name": group,
        "messaging.batch.message_count": len(records),
    }
    work = tracing.span(
        f"batch {group}",
        kind=SpanKind.CONSUMER,
        parent=tracing.traceparent(known[0][1]) if common else "",
        attributes=attributes,
        links=[parent for parent, _ in known],
    )
    with work as batch:
        if not common:
            for _, span in known:
                span.add_link(batch.get_span_context())
        yield


def _carrying(record: Record, span: tracing.Span) -> Record:
    context = tracing.traceparent(span)
    if context is None:
        return record
    return msgspec.structs.replace(record, headers=record.headers | {tracing.TRACEPARENT: context})
