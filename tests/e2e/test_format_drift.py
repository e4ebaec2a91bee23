"""X changes its format amid a run: posts wait in quarantine, the parser is frozen, and a mended one reads it all."""

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest

from xget_contracts.events import PARSER_EVENTS, ParserChanged
from xget_events import codec
from xget_events.sqlite import SqliteEventLog
from xget_testing.node import Node, Sandbox, running_node, running_sandbox
from xget_testing.sandbox_facts import post_differences
from xget_testing.waiting import eventually

pytestmark = pytest.mark.slow
MENDED = (sys.executable, str(Path(__file__).with_name("mended.py")))
PARSER = "x_session:SearchTimeline"
QUERY = {"query": "climate"}
RENAMED = {"field": "legacy.full_text", "do": "rename", "to": "body_text"}
QUICK = {"XGET_PROCESSING_FREEZE_PAGES": "3", "XGET_PROCESSING_DRIFT_EVERY": "1", "XGET_PROCESSING_THAW_SECONDS": "0.2"}


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory):
    with running_sandbox(tmp_path_factory.mktemp("sandbox"), "--posts", "700", "--faults", "slow=0.1%1") as running:
        yield running


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory, sandbox: Sandbox):
    with running_node(tmp_path_factory.mktemp("node"), sandbox, env=QUICK) as running:
        yield running


def parser(node: Node) -> dict[str, Any]:
    """State and waiting pages of the parser of searches, `{}` before it has read any."""
    return next((one for one in node.api("GET", "/parsers")["parsers"] if one["name"] == PARSER), {})


def quarantined(node: Node, task_id: str) -> int:
    return int(node.api("GET", "/quarantine", params={"task": task_id, "state": "open"})["total"])


async def events(node: Node) -> list[ParserChanged]:
    log = SqliteEventLog(node.home / "events.db")
    async with log.consumer("trial", [PARSER_EVENTS]) as consumer:
        records = await consumer.poll(timeout=1)
    await log.close()
    return [codec.decode(record, ParserChanged) for record in records]


def stored(node: Node, task_id: str) -> dict[str, dict[str, Any]]:
    return {one["native_id"]: one for one in node.results(task_id) if one["role"] == "match"}


def test_what_a_new_format_hides_is_kept_and_read_by_the_parser_that_knows_it(node: Node, sandbox: Sandbox) -> None:
    truth = sandbox.truth(task_type="KEYWORD_SEARCH", full="1", **QUERY)
    sandbox.faults("slow=3%1")  # so that the run is not through before the format changes
    task_id = node.create("KEYWORD_SEARCH", QUERY)
    eventually(lambda: node.api("GET", f"/tasks/{task_id}")["result_count"] >= 20, 180)
    sandbox.drift(RENAMED)
    sandbox.faults("slow=0.1%1")
    eventually(lambda: parser(node).get("state") == "frozen", 180)
    eventually(lambda: parser(node)["waiting"] > 0, 180)
    seen = node.api("GET", f"/parsers/{PARSER}/drift")["items"]
    assert {(one["path"], one["change"]) for one in seen} >= {("legacy.body_text", "new")}
    assert [one.state for one in asyncio.run(events(node))] == ["frozen"]
    assert node.api("GET", f"/tasks/{task_id}")["status"] == "RUNNING", "its pages wait"

    sandbox.drift()
    node.api("POST", f"/parsers/{PARSER}/thaw")
    task = node.wait_for(task_id)
    kept, waiting = stored(node, task_id), quarantined(node, task_id)
    assert task["status"] == "COMPLETED"
    assert 0 < len(kept) < len(truth["matches"])
    assert len(kept) + waiting >= len(truth["matches"])

    node.stop()
    node.start(launcher=MENDED)
    cursor: str | None = ""
    while cursor is not None:
        wish = {"task": task_id, **({"cursor": cursor} if cursor else {})}
        cursor = node.api("POST", "/quarantine/replay", json=wish)["next_cursor"]
    eventually(lambda: quarantined(node, task_id) == 0, 180)
    eventually(lambda: len(stored(node, task_id)) == len(truth["matches"]), 180)
    found = stored(node, task_id)
    assert found.keys() == set(truth["matches"])
    wrong = [text for key, item in found.items() for text in post_differences(item, truth["posts"][key])]
    assert wrong == []
