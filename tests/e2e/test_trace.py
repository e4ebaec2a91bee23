"""One request, one trace: from `POST /tasks` at the gateway to the search index, over every service on the way."""

import json
from collections.abc import Iterator
from typing import Any

import httpx2 as httpx
import pytest

from xget_testing.node import Node, running_node, running_sandbox
from xget_testing.otlp import OtlpReceiver, SeenSpan, otlp_receiver, path_to_root
from xget_testing.waiting import eventually

pytestmark = pytest.mark.slow
LIMIT = 45
QUERY = "AI OR 人工智能"
OURS = "4bf92f3577b34da6a3ce929d0e0e4736"
CALLER = f"00-{OURS}-00f067aa0ba902b7-01"
TASK = {
    "task_name": "traced",
    "task_type": "KEYWORD_SEARCH",
    "parameters": {"query": QUERY, "limit": LIMIT},
}


@pytest.fixture(scope="module")
def receiver() -> Iterator[OtlpReceiver]:
    with otlp_receiver() as found:
        yield found


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory, receiver: OtlpReceiver) -> Iterator[Node]:
    folder = tmp_path_factory.mktemp("trace")
    with (
        running_sandbox(folder) as sandbox,
        running_node(folder, sandbox, "--log-level", "info", env=receiver.env) as found,
    ):
        yield found


@pytest.fixture(scope="module")
def answer(node: Node) -> httpx.Response:
    """The answer to `POST /tasks`, once its task is through and searchable."""
    posted = node.http.post("/api/v1/tasks", json=TASK, headers={"x-request-id": "my-own-id"})
    assert posted.status_code == 201
    node.wait_for(posted.json()["id"])
    return posted


@pytest.fixture(scope="module")
def trace(answer: httpx.Response, receiver: OtlpReceiver) -> list[SeenSpan]:
    """The spans of that request's trace, when the last one has come."""
    trace_id = answer.headers["traceresponse"].split("-")[1]

    wanted = {"collect", "batch search-index", "batch scraper-progress"}
    return receiver.whole(trace_id, lambda spans: wanted <= {span.name for span in spans})


def named(spans: list[SeenSpan], name: str) -> list[SeenSpan]:
    return [span for span in spans if span.name == name]


def test_every_service_on_the_way_is_in_the_one_trace(trace: list[SeenSpan]) -> None:
    assert {span.service for span in trace} == {
        "gateway",
        "scraper",
        "scraper-worker",
        "account",
        "proxy",
        "processing-worker",
        "storage-worker",
    }


def test_every_span_has_its_parent_up_to_the_gateway(trace: list[SeenSpan]) -> None:
    by_id = {span.span_id: span for span in trace}
    for span in trace:
        first = path_to_root(span, by_id)[-1]
        assert (first.service, first.kind, first.attributes["http.request.method"]) == ("gateway", "server", "POST")


def test_indexing_descends_from_the_request_through_page_processing_and_storage(trace: list[SeenSpan]) -> None:
    by_id = {span.span_id: span for span in trace}
    last = named(trace, "batch search-index")[-1]
    path = [(span.service, span.name.split(" ")[0]) for span in path_to_root(last, by_id)]
    assert path == [
        ("storage-worker", "batch"),
        ("storage-worker", "process"),
        ("storage-worker", "process"),
        ("processing-worker", "process"),
        ("scraper-worker", "collect"),
        ("scraper-worker", "collect"),
        ("scraper", "POST"),
        ("gateway", "POST"),
    ]


def test_pages_lease_accounts_and_proxies_and_ask_x(trace: list[SeenSpan]) -> None:
    by_id = {span.span_id: span for span in trace}
    for name, service in (
        ("xget.account.v1.AccountPool/Acquire", "account"),
        ("xget.proxy.v1.ProxyPool/Acquire", "proxy"),
    ):
        served = [span for span in named(trace, name) if span.kind == "server"]
        assert {span.service for span in served} == {service}
        assert {by_id[span.parent_id].kind for span in served} == {"client"}
        assert "collect page" in {span.name for span in path_to_root(served[0], by_id)}
    asked = [span for span in trace if span.name.startswith("x ")]
    assert {span.attributes["http.response.status_code"] for span in asked} == {200}
    assert {by_id[span.parent_id].name for span in asked} == {"collect page"}


def test_batches_link_to_their_messages(trace: list[SeenSpan]) -> None:
    by_id = {span.span_id: span for span in trace}
    for group, count in (("batch processing", "collect page"), ("batch storage", "process xget.pages")):
        batches = named(trace, group)
        assert batches
        for batch in batches:
            linked = [by_id[span_id] for _, span_id in batch.links]
            assert len(linked) == batch.attributes["messaging.batch.message_count"]
            assert {span.name for span in linked} == {count}


def test_spans_say_which_task_and_page(trace: list[SeenSpan], answer: httpx.Response) -> None:
    (run,) = named(trace, "collect")
    assert run.attributes["xget.task_id"] == answer.json()["id"]
    pages = [span.attributes["xget.page_no"] for span in named(trace, "collect page")]
    assert sorted(pages) == list(range(1, len(pages) + 1))
    assert not [span.name for span in trace if span.failed]


def test_the_request_keeps_its_id_and_says_its_trace(answer: httpx.Response, trace: list[SeenSpan]) -> None:
    assert answer.headers["x-request-id"] == "my-own-id"
    (first,) = [span for span in trace if not span.parent_id]
    assert answer.headers["traceresponse"].split("-")[2] == first.span_id
    assert first.attributes["xget.request_id"] == "my-own-id"


def test_a_callers_trace_goes_on(node: Node, receiver: OtlpReceiver) -> None:
    answer = node.http.get("/api/v1/tasks", headers={"traceparent": CALLER})
    assert answer.headers["traceresponse"].startswith(f"00-{OURS}-")
    spans = receiver.whole(OURS, lambda spans: {"gateway", "scraper"} <= {span.service for span in spans}, first=CALLER)
    assert {span.service for span in spans} == {"gateway", "scraper"}
    assert [span.parent_id for span in spans if span.service == "gateway"] == ["00f067aa0ba902b7"]


def test_a_nonsense_traceparent_begins_a_trace(node: Node) -> None:
    for nonsense in ("", "00-zz-zz-01", "00-" + "0" * 32 + "-" + "0" * 16 + "-01", "x" * 5000):
        answer = node.http.get("/api/v1/tasks", headers={"traceparent": nonsense})
        assert answer.status_code == 200
        assert len(answer.headers["traceresponse"].split("-")[1]) == 32


def test_log_lines_carry_the_trace(node: Node, receiver: OtlpReceiver) -> None:
    node.http.get("/api/v1/tasks/no-such-task", headers={"traceparent": CALLER})
    eventually(lambda: OURS in {line.get("trace_id") for line in said(node)})


def said(node: Node) -> list[dict[str, Any]]:
    """The lines of its log; the last may be under way."""
    whole = (node.folder / "node.log").read_text().rpartition("\n")[0].splitlines()
    return [json.loads(line) for line in whole if line.startswith("{")]


def test_what_is_waiting_is_sent_at_the_end(node: Node, receiver: OtlpReceiver) -> None:
    """Runs last: it stops the node."""
    answer = node.http.get("/api/v1/tasks")
    assert node.stop() == 0
    assert receiver.trace(answer.headers["traceresponse"].split("-")[1])
