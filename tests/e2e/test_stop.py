"""SIGTERM while X answers slowly and people watch: drained within ten seconds, and the next start goes on."""

import threading
import time
from pathlib import Path

import httpx2 as httpx
import pytest

from xget_testing.node import Node, Sandbox, program, running_node, running_sandbox
from xget_testing.waiting import eventually, promised

pytestmark = pytest.mark.slow
SEARCH = {"query": "AI OR 人工智能"}


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory):
    with running_sandbox(tmp_path_factory.mktemp("sandbox"), "--posts", "300") as running:
        yield running


class Watcher(threading.Thread):
    """Somebody who watches a task; `events` counts what they were told, `ended` that the stream is over."""

    def __init__(self, node: Node, task_id: str) -> None:
        super().__init__(daemon=True)
        self._url = f"{node.http.base_url}/api/v1/tasks/{task_id}/events"
        self.events = 0
        self.ended = False

    def run(self) -> None:
        try:
            with (
                httpx.Client(timeout=120, trust_env=False) as client,
                client.stream("GET", self._url) as answer,
            ):
                for line in answer.iter_lines():
                    self.events += line.startswith("event:")
        except httpx.HTTPError:
            pass
        self.ended = True


@pytest.mark.parametrize("answers", ["slow=1.5%1", "slow=120%1"], ids=["within-the-drain", "beyond-it"])
def test_a_stop_while_x_is_slow_drains_in_time_and_nothing_is_lost(
    tmp_path: Path, sandbox: Sandbox, answers: str
) -> None:
    truth = {str(one) for one in sandbox.truth(task_type="KEYWORD_SEARCH", **SEARCH)["matches"]}
    try:
        with running_node(tmp_path, sandbox) as node:
            sandbox.faults(answers)
            task_id = node.create("KEYWORD_SEARCH", SEARCH)
            queued = [node.create("USER_TWEETS", {"username": "elonmusk", "limit": 5}) for _ in range(6)]
            watcher = Watcher(node, task_id)
            watcher.start()
            eventually(lambda: watcher.events and sandbox.log()["requests"])
            time.sleep(0.5)
            started = time.monotonic()
            assert node.stop() == 0
            assert time.monotonic() - started < promised(10)
            watcher.join(60)
            assert watcher.ended
            sandbox.faults("")
            node.start(by=program)
            for one in (task_id, *queued):
                task = node.wait_for(one)
                assert task["status"] == "COMPLETED", task
            stored = [item["native_id"] for item in node.results(task_id) if item["role"] == "match"]
            assert len(stored) == len(truth)
            assert set(stored) == truth
            accounts = node.api("GET", "/accounts")["items"]
            assert len(accounts) == 1
            eventually(lambda: node.api("GET", f"/accounts/{accounts[0]['id']}/status")["lease"] is None, 30)
            log = (node.folder / "node.log").read_text()
            assert "Traceback" not in log
    finally:
        sandbox.faults("")
