"""Two and four replicas of each worker on real engines: work is shared, taken over from the dead, and never doubled."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from xget_testing.engines import ENGINES, url_of
from xget_testing.node import Cluster, running_cluster, running_sandbox
from xget_testing.own_names import own_names
from xget_testing.trials import Collection, Evidence, Groups, Place, Replica, done_by, judge
from xget_testing.waiting import promised

pytestmark = [pytest.mark.slow, pytest.mark.connected(*ENGINES)]
ANNOUNCED = {"scraper": "xget.pages", "processing": "xget.results", "storage": "xget.stored"}
KINDS = tuple(ANNOUNCED)
SLOW = "slow=1.5%1"
LIMIT = 240
AT_ONCE = 6
REPLICAS = "worker=2,processing=2,storage=2"
TAKEOVER_SECONDS = 10.0
GROUPS = {"scraper": (), "processing": ("processing",), "storage": ("storage", "storage-raw-pages", "search-index")}
"""Who takes over is up to Kafka; a scraper worker's executions pass on by their leases instead."""
BACKLOG_SECONDS = {"scraper": 0.0, "processing": 30.0, "storage": 30.0}
"""A scraper worker announces the page that it takes over at once. The others have the partitions after the same time,
and announce that page when they have worked through what waits in all of them, on this machine's MongoDB."""
SLOTS = {"XGET_SCRAPER_CONCURRENCY": "3"}  # each of three workers gets some executions, and two have room for all


@dataclass(frozen=True)
class Trial:
    cluster: Cluster
    collection: Collection
    evidence: Evidence
    replicas: dict[str, Replica]


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    folder = tmp_path_factory.mktemp("replicas")
    with (
        running_sandbox(folder / "sandbox", "--posts", "9000", "--seed", "13", "--faults", SLOW) as sandbox,
        own_names({name: url_of(name) for name in ENGINES}) as env,
        running_cluster(folder, sandbox, engines=env | SLOTS, replicas=REPLICAS, hatched=True) as cluster,
    ):
        for number in range(AT_ONCE):
            cluster.add_account(f"account{number}")
        found = Trial(cluster, Collection(cluster, sandbox), Evidence(env), {})
        try:
            yield found
        finally:
            for replica in found.replicas.values():
                if replica.process.alive:
                    replica.process.stop()


def test_two_replicas_share_the_work(trial: Trial) -> None:
    for kind in KINDS:
        for name in (f"{kind}-worker", f"{kind}-worker-2"):
            wait_for_work(trial, name)


def wait_for_work(trial: Trial, name: str, port: int = 0) -> None:
    """Order more until this worker has done something: its partitions may hold none of the first executions.

    A scraper worker gets one when it claims sooner than those whose own has just ended: now and then, not at once.
    """
    deadline = time.monotonic() + LIMIT
    while not done_by(trial.cluster, name, port):
        trial.collection.keep_busy(AT_ONCE, LIMIT)
        assert time.monotonic() < deadline, f"{name} does no work"
        time.sleep(0.2)


@pytest.mark.parametrize("kind", KINDS)
def test_a_third_takes_part_and_its_work_is_taken_over_when_it_is_killed(trial: Trial, kind: str) -> None:
    collection = trial.collection
    third = trial.replicas[f"{kind} 3"] = Replica(trial.cluster, kind, 3)
    wait_for_work(trial, third.name, third.port)
    collection.keep_busy(AT_ONCE, LIMIT)
    groups = Groups(trial.evidence.env, GROUPS[kind])
    before = held_by(groups, third.name, kind)
    third.process.kill()
    died = time.monotonic()
    announced = trial.evidence.pages(ANNOUNCED[kind])
    waiting = {task: furthest(trial, announced, task) for task in collection.unfinished()}
    assert groups.taken_over(third.name, before, died + promised(TAKEOVER_SECONDS)), groups.shares()
    while True:
        looked = time.monotonic() - died
        announced = trial.evidence.pages(ANNOUNCED[kind])
        waiting = {task: page for task, page in waiting.items() if not moved(trial, announced, task, page)}
        if not waiting:
            return
        late = [f"{page}: {collection.execution(task)}" for task, page in waiting.items()]
        assert looked <= promised(TAKEOVER_SECONDS + BACKLOG_SECONDS[kind]), "\n".join(late)


def held_by(groups: Groups, name: str, kind: str) -> dict[str, dict[str, set[Place]]]:
    """How the groups of a kind share, each with something for this member."""
    deadline = time.monotonic() + 120
    while True:
        shares = groups.shares() if GROUPS[kind] else {}
        if len(shares) == len(GROUPS[kind]) and all(members.get(name) for members in shares.values()):
            return shares
        assert time.monotonic() < deadline, shares
        time.sleep(0.2)


def furthest(trial: Trial, announced: dict[str, list[int]], task: str) -> int:
    """The last page of a task that is announced; workers do so when it is durable."""
    return max(announced.get(trial.collection.execution(task)["id"], [0]))


def moved(trial: Trial, announced: dict[str, list[int]], task: str, page: int) -> bool:
    """Whether a later page is announced, or there is none to come."""
    execution = trial.collection.execution(task)
    if execution["end_reason"] and page == execution["pages"]:
        return True
    return furthest(trial, announced, task) > page


def start(trial: Trial, number: int) -> None:
    """Start one more worker of each kind."""

    def one(kind: str) -> None:
        trial.replicas[f"{kind} {number}"] = Replica(trial.cluster, kind, number)

    with ThreadPoolExecutor(len(KINDS)) as pool:
        list(pool.map(one, KINDS))


def test_four_replicas_come_and_go(trial: Trial) -> None:
    collection = trial.collection
    for _ in range(2):
        collection.keep_busy(AT_ONCE, LIMIT)
        start(trial, 4)
        collection.keep_busy(AT_ONCE, LIMIT)
        time.sleep(2)
        with ThreadPoolExecutor(len(KINDS)) as pool:
            ends = [pool.submit(trial.replicas[f"{kind} 4"].process.stop) for kind in KINDS]
        assert [end.result() for end in ends] == [0, 0, 0]


def test_in_the_end_each_page_counts_once_and_in_order(trial: Trial) -> None:
    collection = trial.collection
    collection.sandbox.faults("")
    collection.finish(600)
    judge(collection, trial.evidence)
    for topic in ANNOUNCED.values():
        pages = trial.evidence.pages(topic)
        for task in collection.tasks:
            execution = collection.execution(task)
            seen = pages[execution["id"]]
            # one that is delivered again stands there again, but never before its time
            assert list(dict.fromkeys(seen)) == list(range(1, execution["pages"] + 1)), f"{topic}: {seen}"
