"""A receiver of traces in the test's own process: OTLP over HTTP, decoded into plain spans."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

import msgspec
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from xget_testing.waiting import eventually

QUIET_SECONDS: Final = 1.0
"""After the last batch of a trace: processes send theirs every 200 ms."""


class SeenSpan(msgspec.Struct, frozen=True, kw_only=True):
    """A span as it was received. Ids are hexadecimal; `parent_id` is "" for the first span of a trace."""

    service: str
    name: str
    kind: str
    trace_id: str
    span_id: str
    parent_id: str
    attributes: dict[str, Any]
    links: list[tuple[str, str]]
    """Trace and span that it points to."""
    failed: bool


class OtlpReceiver:
    """What was received so far; `env` makes a process send its traces here."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.bodies: list[bytes] = []
        self.requests = 0
        self._spans: list[SeenSpan] = []
        self._lock = threading.Lock()

    @property
    def env(self) -> dict[str, str]:
        """Environment of a process that is to trace; batches leave every 200 ms."""
        return {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{self.port}",
            "OTEL_BSP_SCHEDULE_DELAY": "200",
        }

    @property
    def spans(self) -> list[SeenSpan]:
        """All spans in the order of their arrival."""
        with self._lock:
            return list(self._spans)

    def trace(self, trace_id: str) -> list[SeenSpan]:
        """The spans of one trace."""
        return [span for span in self.spans if span.trace_id == trace_id]

    def whole(self, trace_id: str, has: Callable[[list[SeenSpan]], bool], *, first: str = "") -> list[SeenSpan]:
        """The spans of one trace once it has what is sought, all that they name, and no more came for a while.

        `first` is the `traceparent` that it goes on from, if any. Batches come from several processes, in any order.
        """
        came: list[SeenSpan] = []
        since = time.monotonic()

        def settled() -> bool:
            nonlocal came, since
            spans = self.trace(trace_id)
            if len(spans) != len(came):
                came, since = spans, time.monotonic()
            return has(came) and not _missing(came, first) and time.monotonic() - since > QUIET_SECONDS

        eventually(settled, 120, pause=0.1)
        return came

    def take(self, body: bytes) -> None:
        """Decode one export and keep it."""
        found = list(_decoded(body))
        with self._lock:
            self.requests += 1
            self.bodies.append(body)
            self._spans.extend(found)


@contextmanager
def otlp_receiver() -> Iterator[OtlpReceiver]:
    """A receiver on a free loopback port for the length of a block."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    receiver = OtlpReceiver(server.server_address[1])
    server.receiver = receiver  # type: ignore[attr-defined]  # the handler finds it by its server
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        status = 200 if self.path == "/v1/traces" else 404
        if status == 200:
            self.server.receiver.take(body)  # type: ignore[attr-defined]  # put there by otlp_receiver
        answer = ExportTraceServiceResponse().SerializeToString()
        self.send_response(status)
        self.send_header("content-type", "application/x-protobuf")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing on standard error."""


def _decoded(body: bytes) -> Iterator[SeenSpan]:
    request = ExportTraceServiceRequest.FromString(body)
    for group in request.resource_spans:
        service = str(_plain(group.resource.attributes).get("service.name", ""))
        for scope in group.scope_spans:
            for span in scope.spans:
                yield SeenSpan(
                    service=service,
                    name=span.name,
                    kind=span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_").lower(),
                    trace_id=span.trace_id.hex(),
                    span_id=span.span_id.hex(),
                    parent_id=span.parent_span_id.hex(),
                    attributes=_plain(span.attributes),
                    links=[(link.trace_id.hex(), link.span_id.hex()) for link in span.links],
                    failed=span.status.code == 2,
                )


def _missing(spans: Sequence[SeenSpan], first: str) -> set[str]:
    """Ids of spans of this trace that others name as parent or point to, and that have not come."""
    named = {span.parent_id for span in spans} | {
        linked for span in spans for trace, linked in span.links if trace == span.trace_id
    }
    return {one for one in named - {span.span_id for span in spans} if one and one not in first}


def _plain(attributes: Any) -> dict[str, Any]:
    return {pair.key: _value(pair.value) for pair in attributes}


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(one) for one in value.array_value.values]
    return getattr(value, kind) if kind else None


def path_to_root(span: SeenSpan, spans: Mapping[str, SeenSpan]) -> list[SeenSpan]:
    """The span, its parent and so on up to the first span of the trace; `spans` are by id.

    Raises AssertionError where a parent is missing.
    """
    path = [span]
    while path[-1].parent_id:
        assert path[-1].parent_id in spans, f"the parent of {path[-1].name} ({path[-1].service}) was not received"
        path.append(spans[path[-1].parent_id])
    return path
