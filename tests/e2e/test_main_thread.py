"""The main thread as users drive it: real processes, through the gateway, against the sandbox's truth."""

import csv
import io
import json
from pathlib import Path

import pytest

from xget_testing.node import Node, Sandbox, program, running_node, running_sandbox
from xget_testing.waiting import promised

pytestmark = pytest.mark.slow
QUERY = "AI OR 人工智能"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory):
    with running_sandbox(tmp_path_factory.mktemp("sandbox"), "--posts", "1500") as running:
        yield running


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory, sandbox: Sandbox):
    with running_node(tmp_path_factory.mktemp("node"), sandbox) as running:
        yield running


def matches(items: list[dict]) -> list[str]:
    return [item["native_id"] for item in items if item["role"] == "match"]


@pytest.mark.parametrize(
    ("task_type", "parameters"),
    [
        ("KEYWORD_SEARCH", {"query": QUERY}),
        ("KEYWORD_SEARCH", {"query": "climate", "lang": "en"}),
        ("HASHTAG_SEARCH", {"hashtag": "AI"}),
        ("USER_TWEETS", {"username": "elonmusk"}),
        ("USER_TWEETS", {"username": "elonmusk", "include_replies": False, "include_retweets": False}),
        ("USER_TWEETS", {"username": "elonmusk", "include_replies": True}),
        ("USER_FOLLOWERS", {"username": "elonmusk"}),
        ("USER_FOLLOWING", {"username": "elonmusk"}),
        ("USER_INFO", {"username": "elonmusk"}),
    ],
)
def test_what_is_stored_is_what_exists(node: Node, sandbox: Sandbox, task_type: str, parameters: dict) -> None:
    wanted = {name: str(value).lower() if isinstance(value, bool) else value for name, value in parameters.items()}
    truth = sandbox.truth(task_type=task_type, **wanted)
    task_id = node.create(task_type, parameters)
    task = node.wait_for(task_id)
    assert task["status"] == "COMPLETED", task["error_message"]
    stored = matches(node.results(task_id))
    assert sorted(stored) == sorted(str(i) for i in truth["matches"])
    certificate = node.certificate(task_id)
    assert certificate["complete"] is True
    assert certificate["end_reason"] == "exhausted"
    assert task["result_count"] == len(stored) == certificate["counts"]["matched"]


def test_a_limit_is_exact_and_the_rest_of_the_page_is_context(node: Node, sandbox: Sandbox) -> None:
    task_id = node.create("KEYWORD_SEARCH", {"query": QUERY, "limit": 30})
    task = node.wait_for(task_id)
    items = node.results(task_id)
    truth = [str(i) for i in sandbox.truth(task_type="KEYWORD_SEARCH", query=QUERY)["matches"]]
    assert sorted(matches(items)) == sorted(truth[:30])
    assert task["result_count"] == 30
    assert node.certificate(task_id)["end_reason"] == "limit_reached"


def test_running_it_again_doubles_nothing_and_counts_what_was_known(node: Node) -> None:
    parameters = {"query": "quantum OR 量子"}
    first = node.create("KEYWORD_SEARCH", parameters)
    node.wait_for(first)
    before = node.api("GET", "/data", params={"size": 1})["total"]
    node.api("POST", f"/tasks/{first}/start")
    node.wait_for(first)
    assert node.api("GET", "/data", params={"size": 1})["total"] == before
    counts = node.certificate(first)["counts"]
    assert counts["new"] == 0
    assert len(matches(node.results(first))) == counts["matched"]


def test_an_export_holds_every_item_in_both_formats(node: Node) -> None:
    task_id = node.create("KEYWORD_SEARCH", {"query": QUERY, "limit": 60})
    node.wait_for(task_id)
    items = node.results(task_id)
    lines = node.http.post(f"/api/v1/tasks/export/{task_id}", json={"format": "jsonl"}).text.splitlines()
    rows = list(
        csv.DictReader(
            io.StringIO(node.http.post(f"/api/v1/tasks/export/{task_id}", json={"format": "csv"}).text.lstrip("\ufeff"))
        )
    )
    assert [json.loads(line)["native_id"] for line in lines] == [item["native_id"] for item in items]
    assert [row["native_id"] for row in rows] == [item["native_id"] for item in items]


def test_search_finds_chinese_and_english_with_highlights(node: Node) -> None:
    node.wait_for(node.create("KEYWORD_SEARCH", {"query": "人工智能", "limit": 40}))
    found = node.api("GET", "/data/search", params={"q": "人工智能", "lang": "zh"})
    assert found["total"] > 0
    assert all("<em>" in "".join(item["highlights"]) and "人工智能" in item["text"] for item in found["items"])


def test_state_survives_a_restart(tmp_path: Path, sandbox: Sandbox) -> None:
    with running_node(tmp_path, sandbox) as node:
        task_id = node.create("KEYWORD_SEARCH", {"query": QUERY, "limit": 40})
        node.wait_for(task_id)
        before = node.results(task_id)
        assert node.process is not None
        assert node.process.stop() == 0
        node.start(by=program)
        assert node.results(task_id) == before
        assert node.certificate(task_id)["complete"] is True


def test_a_stop_drains_within_ten_seconds_and_the_run_goes_on_afterwards(tmp_path: Path, sandbox: Sandbox) -> None:
    truth = {str(i) for i in sandbox.truth(task_type="KEYWORD_SEARCH", query=QUERY)["matches"]}
    with running_node(tmp_path, sandbox) as node:
        task_id = node.create("KEYWORD_SEARCH", {"query": QUERY})
        assert node.process is not None
        assert node.process.stop(promised(10)) == 0
        node.start(by=program)
        assert node.wait_for(task_id)["status"] == "COMPLETED"
        stored = matches(node.results(task_id))
        assert set(stored) == truth
        assert len(stored) == len(truth)
