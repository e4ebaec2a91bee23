"""kill -9 at 25 moments of one run: nothing lost, nothing doubled, the certificate exact, no account still leased."""

import random
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from xget_testing.node import Node, NotStarted, Sandbox, running_sandbox
from xget_testing.waiting import eventually

pytestmark = pytest.mark.slow

LAUNCHER = (sys.executable, str(Path(__file__).with_name("launcher.py")))
QUERY = "climate"
SLOW = "slow=0.05%1"
QUICK_LEASES = {"XGET_SCRAPER_LEASE_SECONDS": "2", "XGET_SCRAPER_ACCOUNT_LEASE_SECONDS": "5"}
PLANTED = [f"{point}:{n}" for point in ("pages", "results", "stored") for n in (1, 2, 4)]
PLANTED += [f"commit:{n}" for n in (3, 17, 29, 40, 55, 71)]
RANDOM = random.Random(5)
PLANTED += [f"later:{RANDOM.randint(1, 5)}:{RANDOM.randint(1, 150)}" for _ in range(25 - len(PLANTED))]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory):
    # an X that takes its time, so that a run lives through all its deaths
    options = ("--posts", "9000", "--seed", "11", "--faults", SLOW)
    with running_sandbox(tmp_path_factory.mktemp("sandbox"), *options) as running:
        yield running


def die_once(node: Node, moment: str) -> None:
    """Start the node, let it die at the moment, and make sure that it did."""
    try:
        node.start(launcher=LAUNCHER, XGET_TRIAL=moment, **QUICK_LEASES)
    except NotStarted:
        return
    assert node.process is not None
    deadline = time.monotonic() + 240
    while node.process.alive and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not node.process.alive, f"{moment} was never reached"
    node.process.wait(60)


def test_nothing_is_lost_or_doubled_when_the_process_is_killed_25_times(tmp_path: Path, sandbox: Sandbox) -> None:
    truth = [str(i) for i in sandbox.truth(task_type="KEYWORD_SEARCH", query=QUERY)["matches"]]
    assert len(truth) >= 2000
    node = Node(tmp_path, sandbox)
    moments = random.Random(6).sample(PLANTED, k=len(PLANTED))
    try:
        node.start(**QUICK_LEASES)
        node.add_proxy(sandbox.proxy)
        for name in ("one", "two", "three"):  # the next start need not wait for the lease of the one that died
            node.add_account(name)
        sandbox.faults("slow=120%1")  # nothing of the run is over before the first death
        task_id = node.create("KEYWORD_SEARCH", {"query": QUERY})
        assert node.process is not None
        node.process.kill()
        sandbox.faults(SLOW)
        for moment in moments[1:]:
            die_once(node, moment)
        node.start(**QUICK_LEASES)
        judge(node, task_id, truth)
    finally:
        node.close()


def judge(node: Node, task_id: str, truth: list[str]) -> None:
    """Hold everything that is stored against everything that exists."""
    task = node.wait_for(task_id, seconds=600)
    assert task["status"] == "COMPLETED", task["error_message"]
    items = node.results(task_id)
    seen = Counter(item["key"] for item in items)
    assert not [key for key, n in seen.items() if n > 1], "a sighting stands twice"
    stored = {item["native_id"] for item in items if item["role"] == "match"}
    assert stored == set(truth), f"lost {len(set(truth) - stored)}, strangers {len(stored - set(truth))}"
    certificate = node.certificate(task_id)
    counts = certificate["counts"]
    assert certificate["complete"] is True
    assert counts["matched"] == len(truth) == task["result_count"]
    assert counts["matched"] + counts["context"] == len(items)
    assert counts["new"] + counts["updated"] + counts["unchanged"] == len(items)
    assert node.api("GET", "/data", params={"task_id": task_id, "size": 1})["total"] == len(items)
    for account in node.api("GET", "/accounts")["items"]:
        path = f"/accounts/{account['id']}/status"
        eventually(lambda path=path: not node.api("GET", path).get("lease"))
