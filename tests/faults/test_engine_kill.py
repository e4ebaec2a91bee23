"""kill -9 of each engine while a collection goes on: what still works meanwhile, what is said, and that all comes back.

Everything runs on engines of this module's own. No process of XGet is started again here: each finds back by itself.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2 as httpx
import pytest

from xget_testing.engines import ENGINES, OwnEngines
from xget_testing.node import Cluster, running_cluster, running_sandbox
from xget_testing.own_names import own_names
from xget_testing.trials import Collection, Evidence, done_by, judge
from xget_testing.waiting import promised

pytestmark = [pytest.mark.slow, pytest.mark.connected(*ENGINES)]
SLOW = "slow=0.3%1"
LIMIT = 400
AT_ONCE = 2
RECOVERY_SECONDS = 30.0
WORKERS = ("scraper-worker", "processing-worker", "storage-worker")


@dataclass
class Trial:
    engines: OwnEngines
    cluster: Cluster
    collection: Collection
    evidence: Evidence
    took: dict[str, float] = field(default_factory=dict)

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.cluster.http.get(path, **options)

    def said(self) -> tuple[int, str]:
        """What the gateway says of everybody."""
        answer = self.get("/readyz")
        return answer.status_code, answer.text

    def says(self, status: int, *words: str) -> bool:
        code, text = self.said()
        return code == status and all(word in text for word in words)

    def stored(self) -> int:
        """Pages of all running executions that storage has."""
        return sum(self.collection.execution(task)["pages_stored"] for task in self.collection.tasks)


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    folder = tmp_path_factory.mktemp("engines-killed")
    with (
        OwnEngines("engine-kill") as engines,
        running_sandbox(folder / "sandbox", "--posts", "9000", "--seed", "12", "--faults", SLOW) as sandbox,
        own_names(engines.start()) as env,
        running_cluster(folder, sandbox, engines=env, hatched=True) as cluster,
    ):
        cluster.add_account("two")
        yield Trial(engines, cluster, Collection(cluster, sandbox), Evidence(env))


@contextmanager
def away(trial: Trial, engine: str) -> Iterator[None]:
    """Kill an engine under full work; afterwards it is started, and everything has to come back unaided."""
    cluster, collection = trial.cluster, trial.collection
    collection.keep_busy(AT_ONCE, LIMIT)
    for name in WORKERS:
        collection.until(lambda name=name: done_by(cluster, name), 240, lambda name=name: f"{name} does no work")
    pids = cluster.pids()
    trial.engines.kill(engine)
    try:
        yield
    finally:
        trial.engines.start(engine)
    back = time.monotonic()
    probe = collection.order(20, seconds=promised(RECOVERY_SECONDS))
    running = {task: collection.execution(task)["pages_stored"] for task in collection.unfinished()}
    for task, before in running.items():
        left = max(0.1, back + promised(RECOVERY_SECONDS) - time.monotonic())
        collection.until(lambda task=task, before=before: moved(collection, task, before), left, lambda: "stands still")
    left = max(0.1, back + promised(RECOVERY_SECONDS) - time.monotonic())
    collection.until(lambda: probe not in collection.unfinished(), left, lambda: str(collection.execution(probe)))
    left = max(0.1, back + promised(RECOVERY_SECONDS) - time.monotonic())
    collection.until(lambda: trial.says(200) and "degraded" not in trial.said()[1], left, lambda: str(trial.said()))
    trial.took[engine] = time.monotonic() - back
    assert cluster.pids() == pids, "a process had to be started again"


def moved(collection: Collection, task: str, before: int) -> bool:
    execution = collection.execution(task)
    return execution["pages_stored"] > before or execution["completed_at"] is not None


def refused(answer: httpx.Response) -> bool:
    """503 in our words, with the time to try again."""
    return (
        answer.status_code == 503
        and int(answer.headers.get("retry-after", 0)) > 0
        and answer.headers["content-type"].startswith("application/problem+json")
    )


def eventually(trial: Trial, holds: Any, why: str, seconds: float = 120) -> None:
    trial.collection.until(holds, seconds, lambda: f"{why}: {trial.said()}")


def test_without_redis_the_gateway_counts_by_itself_and_says_so(trial: Trial) -> None:
    with away(trial, "redis"):
        eventually(trial, lambda: trial.says(200, "degraded", "Redis"), "readyz is silent about Redis")

        def counted() -> bool:  # not so when a minute ends between the two
            answers = [trial.get("/api/v1/tasks") for _ in range(2)]
            assert [answer.status_code for answer in answers] == [200, 200]
            first, second = (int(answer.headers["ratelimit-remaining"]) for answer in answers)
            return second == first - 1

        eventually(trial, counted, "it does not count")


def test_without_postgresql_requests_are_refused_for_now_and_consumers_wait(trial: Trial) -> None:
    with away(trial, "postgres"):
        eventually(trial, lambda: refused(trial.get("/api/v1/tasks")), "GET /tasks")
        body = {"task_name": "x", "task_type": "KEYWORD_SEARCH", "parameters": {"query": "AI", "limit": 1}}
        assert refused(trial.cluster.http.post("/api/v1/tasks", json=body))
        assert refused(trial.get("/api/v1/accounts"))
        assert trial.get("/api/v1/data", params={"size": 1}).status_code == 200  # documents live elsewhere
        eventually(trial, lambda: trial.says(503, "scraper:", "account:", "PostgreSQL"), "readyz")
        time.sleep(3)
    assert trial.evidence.dead_letters() == {}


def at_rest(trial: Trial) -> int:
    """The pages that are stored, once the news of the last one has come through."""
    seen = [-1]

    def still() -> bool:
        time.sleep(5)
        seen.append(trial.stored())
        return seen[-1] == seen[-2]

    eventually(trial, still, "pages are stored without MongoDB")
    return seen[-1]


def test_without_mongodb_pages_wait_in_the_event_log(trial: Trial) -> None:
    with away(trial, "mongodb"):
        eventually(trial, lambda: refused(trial.get("/api/v1/data", params={"size": 1})), "GET /data")
        eventually(trial, lambda: trial.says(503, "storage:", "MongoDB"), "readyz")
        stored = at_rest(trial)
        task = trial.collection.order(60)
        eventually(trial, lambda: trial.collection.execution(task)["collected"] == 60, "collecting goes on")
        assert trial.stored() == stored
        assert trial.collection.execution(task)["completed_at"] is None
    assert trial.evidence.dead_letters() == {}


def test_without_kafka_tasks_are_accepted_and_run_later(trial: Trial) -> None:
    with away(trial, "kafka"):
        began = time.monotonic()
        task = trial.collection.order(40)
        assert time.monotonic() - began < promised(5)
        eventually(trial, lambda: trial.says(200, "degraded", "Events have waited"), "readyz")
        assert trial.collection.execution(task)["pages"] == 0
    eventually(
        trial, lambda: task not in trial.collection.unfinished(), "the accepted task runs", promised(RECOVERY_SECONDS)
    )


def test_without_search_everything_else_goes_on_and_search_catches_up(trial: Trial) -> None:
    with away(trial, "elasticsearch"):
        eventually(trial, lambda: refused(trial.get("/api/v1/data/search", params={"q": "AI"})), "GET /data/search")
        task = trial.collection.order(60)
        eventually(trial, lambda: task not in trial.collection.unfinished(), "storing goes on")
        listed = trial.cluster.results(task)
        assert len([item for item in listed if item["role"] == "match"]) == 60
        eventually(trial, lambda: trial.says(200, "degraded", "Search is away"), "readyz is silent about search")


def test_in_the_end_nothing_is_lost_or_doubled(trial: Trial) -> None:
    trial.collection.sandbox.faults("")
    trial.collection.finish(600)
    judge(trial.collection, trial.evidence)
    assert set(trial.took) == set(ENGINES), trial.took
    assert sum(len(wanted.ids) for wanted in trial.collection.tasks.values()) >= 1000
