"""The trace of a request as a real Jaeger shows it (`make test-jaeger`)."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from xget_testing.node import free_port, running_node, running_sandbox
from xget_testing.tools import program

pytestmark = [pytest.mark.slow, pytest.mark.connected("jaeger")]
TASK = {"task_name": "traced", "task_type": "KEYWORD_SEARCH", "parameters": {"query": "AI OR 人工智能", "limit": 45}}
SERVICES = {"gateway", "scraper", "scraper-worker", "account", "proxy", "processing-worker", "storage-worker"}
CONFIG = """
service:
  extensions: [jaeger_storage, jaeger_query]
  pipelines:
    traces: {{receivers: [otlp], processors: [batch], exporters: [jaeger_storage_exporter]}}
  telemetry:
    metrics: {{level: none}}
    logs: {{level: warn}}
extensions:
  jaeger_storage:
    backends: {{memory: {{memory: {{max_traces: 10000}}}}}}
  jaeger_query:
    storage: {{traces: memory}}
    http: {{endpoint: "127.0.0.1:{query}"}}
    grpc: {{endpoint: "127.0.0.1:{grpc}"}}
receivers:
  otlp:
    protocols:
      http: {{endpoint: "127.0.0.1:{otlp}"}}
processors:
  batch: {{timeout: 200ms}}
exporters:
  jaeger_storage_exporter: {{trace_storage: memory}}
"""


class Jaeger:
    """A running Jaeger with its memory for a store."""

    def __init__(self, folder: Path) -> None:
        self.query, self.otlp = free_port(), free_port()
        config = folder / "jaeger.yaml"
        config.write_text(CONFIG.format(query=self.query, otlp=self.otlp, grpc=free_port()), "utf-8")
        self.log = (folder / "jaeger.log").open("w")
        command = [program("jaeger"), "--config", str(config)]
        self.child = subprocess.Popen(command, cwd=folder, stdout=self.log, stderr=subprocess.STDOUT)
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{self.query}", timeout=10, trust_env=False)

    def get(self, path: str) -> Any:
        """What its API answers; None until it does."""
        try:
            answer = self.http.get(path)
        except httpx.HTTPError:
            assert self.child.poll() is None, Path(self.log.name).read_text("utf-8")[-2000:]
            return None
        return (answer.json()["data"] or []) if answer.is_success else None

    def close(self) -> None:
        """Stop it."""
        self.http.close()
        self.child.terminate()
        try:
            self.child.wait(10)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
        self.log.close()


@pytest.fixture
def jaeger(tmp_path: Path) -> Iterator[Jaeger]:
    found = Jaeger(tmp_path)
    try:
        eventually(lambda: found.get("/api/services") is not None)
        yield found
    finally:
        found.close()


def eventually(check: Any, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_jaeger_shows_one_trace_over_all_services(tmp_path: Path, jaeger: Jaeger) -> None:
    env = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{jaeger.otlp}", "OTEL_BSP_SCHEDULE_DELAY": "200"}
    with running_sandbox(tmp_path) as sandbox, running_node(tmp_path, sandbox, env=env) as node:
        posted = node.http.post("/api/v1/tasks", json=TASK)
        trace_id = posted.headers["traceresponse"].split("-")[1]
        node.wait_for(posted.json()["id"])

        def operations() -> set[str]:
            found = jaeger.get(f"/api/traces/{trace_id}") or [{"spans": []}]
            return {span["operationName"] for span in found[0]["spans"]}

        eventually(lambda: {"collect", "batch search-index", "batch scraper-progress"} <= operations())
        time.sleep(1)
    (trace,) = jaeger.get(f"/api/traces/{trace_id}")
    spans = {span["spanID"]: span for span in trace["spans"]}
    assert {process["serviceName"] for process in trace["processes"].values()} == SERVICES
    assert set(jaeger.get("/api/services")) >= SERVICES
    parents = {
        span_id: [ref["spanID"] for ref in span["references"] if ref["refType"] == "CHILD_OF"]
        for span_id, span in spans.items()
    }
    first = [spans[span_id]["operationName"] for span_id, above in parents.items() if not above]
    assert first == ["POST tasks"]
    assert all(above[0] in spans for above in parents.values() if above)
    batches = [span for span in spans.values() if span["operationName"].startswith("batch ")]
    assert batches
    assert all(any(ref["refType"] == "FOLLOWS_FROM" for ref in span["references"]) for span in batches)
    # A message is processed after its sender's span has ended, which Jaeger takes for clocks that differ.
    warnings = {warning for span in spans.values() for warning in span["warnings"] or []}
    assert {warning for warning in warnings if "clock skew" not in warning} == set()
