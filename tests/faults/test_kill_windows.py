"""kill -9 amid windows, targets and a backfill, against an X that stalls and lies: nothing is lost or doubled."""

import random
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from xget_testing.node import Node, NotStarted, Sandbox, running_sandbox

pytestmark = pytest.mark.slow

LAUNCHER = (sys.executable, str(Path(__file__).with_name("launcher.py")))
QUERIES = ["climate", "football"]
QUICK_LEASES = {"XGET_SCRAPER_LEASE_SECONDS": "2", "XGET_SCRAPER_ACCOUNT_LEASE_SECONDS": "5"}
FIRST = ["pages:2", "later:1:40", "commit:40", "pages:7"]
SECOND = ["pages:1", "later:3:30"]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory):
    options = ("--posts", "800", "--days", "90", "--seed", "11", "--paging", "stall=80,lie=0.03")
    with running_sandbox(tmp_path_factory.mktemp("sandbox"), *options) as running:
        yield running


def die_once(node: Node, moment: str) -> None:
    """Start the node and let it die at the moment, or be killed when its work is done before."""
    try:
        node.start(launcher=LAUNCHER, XGET_TRIAL=moment, **QUICK_LEASES)
    except NotStarted:
        return
    assert node.process is not None
    deadline = time.monotonic() + 15
    while node.process.alive and time.monotonic() < deadline:
        time.sleep(0.02)
    node.process.kill()
    node.process.wait(60)


def truth_of(sandbox: Sandbox) -> set[str]:
    found = [sandbox.truth(task_type="KEYWORD_SEARCH", query=query)["matches"] for query in QUERIES]
    return {str(one) for matches in found for one in matches}


def stored(node: Node, task_id: str) -> set[str]:
    """Native ids of the task's matches, each of which must stand once for an execution."""
    items = node.results(task_id)
    assert not [key for key, n in Counter(item["key"] for item in items).items() if n > 1]
    return {item["native_id"] for item in items if item["role"] == "match"}


def targets(node: Node, task: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = node.api("GET", f"/task-executions/{task['execution_id']}/targets")["items"]
    return found


def test_nothing_is_lost_or_doubled_in_windows_targets_and_a_backfill(tmp_path: Path, sandbox: Sandbox) -> None:
    node = Node(tmp_path, sandbox)
    try:
        node.start(**QUICK_LEASES)
        node.add_proxy(sandbox.proxy)
        for name in ("one", "two", "three"):  # the next start need not wait for the lease of the one that died
            node.add_account(name)
        task_id = node.create("KEYWORD_SEARCH", {"queries": QUERIES})
        assert node.process is not None
        node.process.kill()
        for moment in random.Random(1).sample(FIRST, k=len(FIRST)):
            die_once(node, moment)
        sandbox.faults("slow=20%1")  # the stop finds it at work
        node.start(**QUICK_LEASES)
        node.api("POST", f"/tasks/{task_id}/stop")
        sandbox.faults("")
        node.wait_for(task_id, seconds=300)
        assert not node.certificate(task_id)["complete"], "there is nothing left for a backfill"
        node.api("POST", f"/tasks/{task_id}/backfill")
        node.process.kill()
        for moment in SECOND:
            die_once(node, moment)
        node.start(**QUICK_LEASES)
        task = node.wait_for(task_id, seconds=600)
        certificate = node.certificate(task_id)
        assert (task["status"], certificate["complete"]) == ("COMPLETED", True), certificate
        assert stored(node, task_id) == truth_of(sandbox)
        assert {target["end_reason"] for target in targets(node, task)} == {"exhausted"}
    finally:
        node.close()
