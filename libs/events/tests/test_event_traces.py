"""Traces across the log, with real spans and a real consumer runner on the embedded log."""

import asyncio

import msgspec
import pytest

from xget_events import codec
from xget_events.log import TopicSpec
from xget_events.runner import ConsumerRunner
from xget_events.sqlite import SqliteEventLog
from xget_kernel.clock import SystemClock
from xget_telemetry import tracing
from xget_testing.otlp import otlp_receiver


class Body(msgspec.Struct):
    text: str


@pytest.fixture
def receiver(monkeypatch):
    with otlp_receiver() as found:
        for name, value in found.env.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr("xget_telemetry.tracing.exporting.FLUSH_SECONDS", 60.0)  # all is to arrive
        yield found


async def through(tmp_path, traces):
    """Publish a message in each of `traces` (None: in none) and read them as one batch; the headers as handled."""
    log, stop, seen = SqliteEventLog(tmp_path / "events.db"), asyncio.Event(), []

    async def handle(records):
        seen.extend(record.headers.get("traceparent") for record in records)
        with tracing.span("inside"):
            stop.set()

    await log.create_topics([TopicSpec("t")])
    now = SystemClock().now()
    await log.publish([codec.message("t", "k", Body("a"), source="s", now=now, traceparent=one) for one in traces])
    with tracing.of("reader").acting():
        await ConsumerRunner(log, "group", ["t"], handle).run(stop)
    await log.close()
    return seen


async def test_a_batch_of_many_traces_is_a_trace_of_its_own_with_links(tmp_path, receiver):
    with tracing.configured():
        contexts = []
        for name in ("first", "second"):
            with tracing.of("sender").acting(), tracing.span(name, parent=""):
                contexts.append(tracing.traceparent())
        handled = await through(tmp_path, [*contexts, None])
    spans = {span.name: span for span in receiver.spans if span.name != "process t"}
    processed = {span.trace_id: span for span in receiver.spans if span.name == "process t"}
    batch = spans["batch group"]
    for name, context, header in zip(("first", "second"), contexts, handled, strict=False):
        own = processed[spans[name].trace_id]
        assert own.parent_id == spans[name].span_id
        assert header.split("-")[1:3] == [own.trace_id, own.span_id]
        assert own.links == [(batch.trace_id, batch.span_id)]
        assert tuple(context.split("-")[1:3]) in batch.links
    assert handled[2] is None
    assert batch.trace_id not in processed
    assert batch.attributes["messaging.batch.message_count"] == 3
    assert spans["inside"].parent_id == batch.span_id


async def test_a_batch_of_one_trace_belongs_to_it(tmp_path, receiver):
    with tracing.configured():
        with tracing.of("sender").acting(), tracing.span("sent", parent=""):
            context = tracing.traceparent()
        await through(tmp_path, [context, context])
    assert len({span.trace_id for span in receiver.spans}) == 1


async def test_messages_without_a_trace_stay_without(tmp_path, receiver):
    with tracing.configured():
        assert await through(tmp_path, [None]) == [None]
    assert {span.name for span in receiver.spans} == {"inside"}


async def test_without_tracing_headers_pass_as_they_are(tmp_path):
    header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    assert await through(tmp_path, [header]) == [header]


async def test_a_message_belongs_to_the_span_that_sends_it(receiver):
    with tracing.configured("sender"), tracing.span("sending"):
        message = codec.message("t", "k", Body("a"), source="s", now=SystemClock().now())
        assert message.headers["traceparent"] == tracing.traceparent()
