"""kill -9 of every kind of process of a cluster, at 31 moments of one collection on real engines.

The supervisor starts again what died. A process dies after it has worked since its last start, and a few milliseconds
later: whatever is then in hand. `make soak` does so for longer (XGET_SOAK=1).
"""

import os
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from xget_testing.engines import ENGINES, url_of
from xget_testing.node import Cluster, running_cluster, running_sandbox
from xget_testing.own_names import own_names
from xget_testing.trials import Collection, Evidence, done_by, judge
from xget_testing.waiting import promised

pytestmark = [pytest.mark.slow, pytest.mark.connected(*ENGINES)]
SOAK = os.environ.get("XGET_SOAK") == "1"
DEATHS = {
    "scraper-worker": 6, "processing-worker": 6, "storage-worker": 6, "scraper": 4,
    "account": 3, "gateway": 3, "proxy": 2, "storage": 1,
}  # fmt: skip
ROUNDS = 5 if SOAK else 1
SLOW = "slow=0.2%1"
LIMITS = "1000"
"""X's own would run out in the long variant, and everybody would wait for the next quarter of an hour."""
LIMIT = 300
AT_ONCE = 3
RECOVERY_SECONDS = 30.0


@dataclass(frozen=True)
class Trial:
    cluster: Cluster
    collection: Collection
    evidence: Evidence


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    folder = tmp_path_factory.mktemp("killed")
    with (
        running_sandbox(
            folder / "sandbox", "--posts", "9000", "--seed", "11", "--faults", SLOW, "--limit-scale", LIMITS
        ) as sandbox,
        own_names({name: url_of(name) for name in ENGINES}) as env,
        running_cluster(folder, sandbox, engines=env, hatched=True) as cluster,
    ):
        for name in ("two", "three", "four"):
            cluster.add_account(name)
        yield Trial(cluster, Collection(cluster, sandbox), Evidence(env))


def deaths() -> list[tuple[str, float]]:
    """Who dies, and how many seconds after it was seen at work; no process twice in a row."""
    chance = random.Random(20260731)
    order: list[str] = []
    for _ in range(ROUNDS):
        left = [name for name, times in DEATHS.items() for _ in range(times)]
        while left:
            others = [name for name in left if name not in order[-2:]] or left
            order.append(chance.choice(others))
            left.remove(order[-1])
    return [(name, chance.uniform(0.0, 0.4)) for name in order]


def kill(trial: Trial, name: str, later: float) -> None:
    """Let a process die at work."""
    cluster, collection = trial.cluster, trial.collection

    def works() -> float:
        collection.keep_busy(AT_ONCE, LIMIT)  # what goes on may have passed this process already
        return done_by(cluster, name)

    collection.until(works, 240, lambda: f"{name} does no work")
    if name == "scraper":  # its relay has an order in hand
        collection.order(LIMIT)
        later /= 10
    time.sleep(later)
    cluster.kill(name)


def test_nothing_is_lost_or_doubled_when_processes_are_killed_31_times(trial: Trial) -> None:
    cluster, collection = trial.cluster, trial.collection
    collection.keep_busy(AT_ONCE, LIMIT)
    starts = {name: one["starts"] for name, one in cluster.state().items()}
    for name, later in deaths():
        kill(trial, name, later)
    died = time.monotonic()
    before = {task: collection.execution(task)["pages_stored"] for task in collection.unfinished()}
    collection.sandbox.faults("")
    probe = collection.order(20)
    for task in [*before, probe]:
        recovered(collection, task, before.get(task, 0), died + promised(RECOVERY_SECONDS))
    collection.finish(600)
    judge(collection, trial.evidence)
    assert sum(len(wanted.ids) for wanted in collection.tasks.values()) >= 2000
    after = cluster.state()
    assert {name: after[name]["starts"] - starts[name] for name in DEATHS} == {
        name: times * ROUNDS for name, times in DEATHS.items()
    }
    listed = [item["native_id"] for item in cluster.results(probe) if item["role"] == "match"]
    assert sorted(listed) == sorted(collection.tasks[probe].ids)


def recovered(collection: Collection, task: str, before: int, deadline: float) -> None:
    """By the deadline one more page of the task is stored, or it has ended."""

    def moved() -> bool:
        execution = collection.execution(task)
        return execution["pages_stored"] > before or execution["completed_at"] is not None

    left = max(deadline - time.monotonic(), 0.1)
    collection.until(moved, left, lambda: f"stands still: {collection.execution(task)}")
