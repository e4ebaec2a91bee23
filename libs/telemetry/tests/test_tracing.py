import asyncio
import io
import json
import socket
import subprocess
import sys
import time
import timeit

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import create_async_engine

from xget_kernel.errors import NotFound, StartupError
from xget_telemetry import logs, tracing
from xget_telemetry.metrics import Registry
from xget_testing.otlp import OtlpReceiver, otlp_receiver

ELSEWHERE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """What is to arrive may take its time."""
    monkeypatch.setattr("xget_telemetry.tracing.exporting.FLUSH_SECONDS", 60.0)


@pytest.fixture
def receiver(monkeypatch):
    with otlp_receiver() as found:
        for name, value in found.env.items():
            monkeypatch.setenv(name, value)
        yield found


def sent(receiver: OtlpReceiver) -> dict[str, object]:
    return {span.name: span for span in receiver.spans}


async def nested() -> str | None:
    with tracing.span("inner"):
        return tracing.traceparent()


async def test_parts_of_a_process_are_services_of_their_own_in_one_trace(receiver):
    with tracing.configured() as on:
        assert on
        with tracing.of("gateway").acting(), tracing.span("outer"):
            await asyncio.create_task(tracing.acting_as("scraper", nested()))
    spans = sent(receiver)
    assert (spans["outer"].service, spans["inner"].service) == ("gateway", "scraper")
    assert spans["inner"].parent_id == spans["outer"].span_id


async def test_a_context_from_elsewhere_goes_on_and_links_point_to_others(receiver):
    with tracing.configured("worker"):
        with tracing.span("continued", parent=ELSEWHERE):
            context = tracing.traceparent()
        with tracing.span("linked", parent="", links=[context, "nonsense"]):
            pass
    spans = sent(receiver)
    continued, linked = spans["continued"], spans["linked"]
    assert (continued.trace_id, continued.parent_id) == (ELSEWHERE.split("-")[1], ELSEWHERE.split("-")[2])
    assert context.startswith(f"00-{continued.trace_id}-{continued.span_id}-")
    assert linked.parent_id == ""
    assert linked.links == [(continued.trace_id, continued.span_id)]


def test_an_exception_is_named_and_not_quoted(receiver):
    with tracing.configured("worker"):
        with pytest.raises(ValueError), tracing.span("broken"):
            raise ValueError("password=hunter2")
        with pytest.raises(NotFound), tracing.span("answered"):
            raise NotFound("hunter2 is not here")
    spans = sent(receiver)
    assert (spans["broken"].failed, spans["broken"].attributes) == (True, {"error.type": "ValueError"})
    assert (spans["answered"].failed, spans["answered"].attributes) == (False, {"error.type": "NotFound"})
    assert b"hunter2" not in b"".join(receiver.bodies)


@pytest.mark.parametrize(
    "off",
    [
        {"OTEL_SDK_DISABLED": "true"},
        {"OTEL_TRACES_EXPORTER": "none"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": ""},
    ],
)
def test_off_is_off(receiver, monkeypatch, off):
    for name, value in off.items():
        monkeypatch.setenv(name, value)
    with tracing.configured("worker") as on:
        assert not on
        with tracing.span("unseen", parent=ELSEWHERE) as span:
            assert span is tracing.NO_SPAN
            assert tracing.traceparent() is None
    assert receiver.requests == 0


@pytest.mark.parametrize(
    ("sampler", "parent", "exported"),
    [
        ({"OTEL_TRACES_SAMPLER": "always_off"}, ELSEWHERE, False),
        ({"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0"}, "", False),
        ({"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0"}, ELSEWHERE, True),
        ({}, ELSEWHERE.removesuffix("1") + "0", False),
        ({}, "", True),
    ],
)
def test_samplers_decide_by_the_environment_and_tell_others(receiver, monkeypatch, sampler, parent, exported):
    for name, value in sampler.items():
        monkeypatch.setenv(name, value)
    with tracing.configured("worker"), tracing.span("sampled", parent=parent):
        flags = int(tracing.traceparent()[-2:], 16)
    assert flags & 1 == exported
    assert bool(receiver.spans) == exported


def test_another_protocol_is_refused(receiver, monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    with pytest.raises(StartupError, match="http/protobuf only"), tracing.configured():
        pass


def test_the_name_of_the_environment_names_one_service_and_is_the_namespace_of_many(receiver, monkeypatch):
    monkeypatch.setenv("OTEL_SERVICE_NAME", "collector-7")
    with tracing.configured("scraper"), tracing.span("alone"):
        pass
    with tracing.configured(), tracing.of("scraper").acting(), tracing.span("one of many"):
        pass
    spans = sent(receiver)
    assert (spans["alone"].service, spans["one of many"].service) == ("collector-7", "scraper")


def test_a_receiver_that_hangs_holds_up_the_end_for_seconds_only(monkeypatch):
    monkeypatch.setattr("xget_telemetry.tracing.exporting.FLUSH_SECONDS", 0.5)
    monkeypatch.setattr("xget_telemetry.tracing.exporting.FLUSH_SECONDS", 3.0)
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{deaf.getsockname()[1]}")
        began = time.monotonic()
        with tracing.configured("worker"), tracing.span("lost"):
            pass
        assert time.monotonic() - began < 8, "the exporter itself gives up after ten"


def test_spans_that_cannot_be_sent_are_counted_for_their_service(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "many")
    gateway, scraper = Registry(), Registry()
    with tracing.configured():
        tracing.count_losses(gateway, "gateway")
        tracing.count_losses(scraper, "scraper")
        for service, spans in (("gateway", 3), ("scraper", 1)):
            with tracing.of(service).acting():
                for _ in range(spans):
                    with tracing.span("lost"):
                        pass
    assert b"xget_trace_spans_lost_total 3.0" in gateway.render()
    assert b"xget_trace_spans_lost_total 1.0" in scraper.render()


def test_what_is_sent_is_not_counted_as_lost(receiver):
    registry = Registry()
    with tracing.configured("worker"):
        tracing.count_losses(registry, "worker")
        with tracing.span("kept"):
            pass
    assert sent(receiver)
    assert b"xget_trace_spans_lost_total 0.0" in registry.render()


def test_log_lines_name_their_trace(receiver):
    out = io.StringIO()
    logs.configure("worker", stream=out)
    with tracing.configured("worker"), tracing.span("work", parent=ELSEWHERE) as span:
        logs.get_logger("a").info("inside")
    logs.get_logger("a").info("outside")
    said = [json.loads(line) for line in out.getvalue().splitlines()]
    inside, outside = [line for line in said if line["logger"] == "a"]  # senders of tests before may still complain
    assert inside["trace_id"] == ELSEWHERE.split("-")[1]
    assert inside["span_id"] == f"{span.get_span_context().span_id:016x}"
    assert "trace_id" not in outside


def test_who_does_not_trace_does_not_load_the_sdk():
    code = (
        "import sys\nfrom xget_telemetry import tracing\n"
        "with tracing.configured(), tracing.span('x'): pass\n"
        "print([m for m in sys.modules if m.startswith(('opentelemetry.sdk', 'opentelemetry.exporter'))])"
    )
    command = [sys.executable, "-c", code]
    run = subprocess.run(command, capture_output=True, text=True, env={}, timeout=60, check=True)
    assert run.stdout.strip() == "[]", run.stderr


def test_a_span_costs_next_to_nothing_when_off():
    def traced() -> None:
        with tracing.span("page", attributes=None):
            pass

    assert min(timeit.repeat(traced, number=500, repeat=20)) / 500 < 20e-6


@pytest.mark.parametrize(
    ("given", "goes_on"),
    [
        (ELSEWHERE, True),
        (ELSEWHERE + "-more", False),  # version 00 has nothing after the flags
        ("01" + ELSEWHERE[2:], True),
        ("01" + ELSEWHERE[2:] + "-more", True),
        ("01" + ELSEWHERE[2:] + "more", False),
        ("ff" + ELSEWHERE[2:], False),
        (ELSEWHERE.upper(), False),
        ("00-" + "0" * 32 + "-00f067aa0ba902b7-01", False),
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-" + "0" * 16 + "-01", False),
        (ELSEWHERE + "\n", False),
        ("٠٠" + ELSEWHERE[2:], False),
        ("", False),
        ("x" * 100_000, False),
    ],
)
def test_only_what_w3c_calls_a_traceparent_goes_on(receiver, given, goes_on):
    with tracing.configured("worker"), tracing.span("work", parent=given):
        found = tracing.traceparent()
    assert (found.split("-")[1] == ELSEWHERE.split("-")[1]) == goes_on
    assert receiver.spans[0].parent_id == (ELSEWHERE.split("-")[2] if goes_on else "")


async def test_each_statement_is_a_span_of_the_service_without_its_values(receiver, monkeypatch):
    monkeypatch.setenv("XGET_TRACE_OPERATIONS", "1")
    engine = create_async_engine("sqlite+aiosqlite://")
    with tracing.configured(), tracing.of("auth").acting(), tracing.span("work"):
        async with engine.begin() as connection:
            await connection.execute(text("CREATE TABLE people (name TEXT UNIQUE)"))
            await connection.execute(text("INSERT INTO people VALUES (:name)"), {"name": "hunter2"})
            with pytest.raises(IntegrityError):
                await connection.execute(text("INSERT INTO people VALUES (:name)"), {"name": "hunter2"})
    async with engine.begin() as connection:
        await connection.execute(text("SELECT 'nobody traces this'"))
    await engine.dispose()
    inserted = [span for span in receiver.spans if span.name == "INSERT"]
    assert [span.failed for span in inserted] == [False, True]
    assert inserted[0].service == "auth"
    assert inserted[0].parent_id == sent(receiver)["work"].span_id
    assert inserted[0].attributes == {"db.system": "sqlite", "db.statement": "INSERT INTO people VALUES (?)"}
    assert b"hunter2" not in b"".join(receiver.bodies)
    assert "SELECT" not in sent(receiver)
