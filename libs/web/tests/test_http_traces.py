"""Requests as spans: in the caller's trace, named by their route, without path or query."""

import httpx2 as httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from xget_telemetry import tracing
from xget_testing.otlp import OtlpReceiver, SeenSpan, otlp_receiver
from xget_web.middleware.tracing import Traced

ELSEWHERE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture
def receiver(monkeypatch):
    with otlp_receiver() as found:
        for name, value in found.env.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr("xget_telemetry.tracing.exporting.FLUSH_SECONDS", 60.0)  # all is to arrive
        yield found


async def thing(request: Request) -> Response:
    assert tracing.current().service == "toy"
    return PlainTextResponse(tracing.traceparent() or "", int(request.query_params.get("status", "200")))


async def broken(_: Request) -> Response:
    raise ValueError("password=hunter2")


async def ask(path: str, **headers: str) -> httpx.Response:
    """One request to a traced app."""
    routes = [Route("/things/{name}", thing), Route("/broken", broken), Route("/healthz", thing)]
    with tracing.configured():
        tracer = tracing.of("toy")
        middleware = [Middleware(Traced, tracer=tracer, route=lambda scope: f"/{scope['path'].split('/')[1]}/…")]
        app = Starlette(routes=routes, middleware=middleware)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://toy") as client:
            with tracer.acting():
                return await client.get(path, headers=headers)


def only(receiver: OtlpReceiver) -> SeenSpan:
    (span,) = receiver.spans
    return span


async def test_a_request_goes_on_in_its_callers_trace_and_the_answer_names_it(receiver: OtlpReceiver) -> None:
    answer = await ask("/things/secret-name?q=hunter2", traceparent=ELSEWHERE)
    span = only(receiver)
    assert (span.trace_id, span.parent_id) == tuple(ELSEWHERE.split("-")[1:3])
    assert answer.headers["traceresponse"] == answer.text
    assert answer.text.split("-")[1:3] == [span.trace_id, span.span_id]
    assert (span.service, span.name, span.kind) == ("toy", "GET /things/…", "server")
    assert span.attributes == {
        "http.request.method": "GET",
        "http.route": "/things/…",
        "http.response.status_code": 200,
    }
    assert b"hunter2" not in receiver.bodies[0]
    assert b"secret-name" not in receiver.bodies[0]


@pytest.mark.parametrize(("status", "failed"), [(404, False), (503, True)])
async def test_a_request_fails_from_500_on(receiver: OtlpReceiver, status: int, failed: bool) -> None:
    await ask(f"/things/a?status={status}")
    assert only(receiver).failed == failed


async def test_a_crash_is_named_and_not_quoted(receiver: OtlpReceiver) -> None:
    await ask("/broken")
    assert (only(receiver).failed, only(receiver).attributes["error.type"]) == (True, "ValueError")
    assert b"hunter2" not in receiver.bodies[0]


async def test_probes_are_no_traces(receiver: OtlpReceiver) -> None:
    answer = await ask("/healthz")
    assert "traceresponse" not in answer.headers
    assert receiver.spans == []
