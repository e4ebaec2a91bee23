"""A cluster on real engines whose machines disagree about the time by up to ten minutes."""

import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from xget_testing.engines import ENGINES, url_of
from xget_testing.node import Cluster, running_sandbox
from xget_testing.own_names import own_names
from xget_testing.people import Person
from xget_testing.trials import Collection, Evidence, done_by, judge
from xget_testing.waiting import eventually, promised

pytestmark = [pytest.mark.slow, pytest.mark.connected(*ENGINES)]
LAUNCHER = (sys.executable, str(Path(__file__).with_name("skewed.py")))
AHEAD, BEHIND = "300", "-300"
CLOCKS = {
    "gateway": BEHIND, "auth": AHEAD, "account": f"{BEHIND}/{AHEAD}", "proxy": BEHIND, "scraper": AHEAD,
    "storage": AHEAD, "scraper-worker": AHEAD, "scraper-worker-2": BEHIND, "processing-worker": BEHIND,
    "processing-worker-2": AHEAD, "storage-worker": AHEAD, "storage-worker-2": BEHIND, "proxy-worker": AHEAD,
}  # fmt: skip
"""The other processes, and all engines, are right."""
WORKERS = ("scraper-worker", "scraper-worker-2")
LEASE = "20"
"""Seconds, so that nobody who is only held up loses one."""
TAKEN_OVER_SECONDS = 22.5
"""The lease, and a look each second."""
SLACK = timedelta(seconds=20)
"""Who measures by how much its clock differs may be held up: by seconds, where clocks differ by minutes."""
LIMIT = 400
REPLICAS = "worker=2,processing=2,storage=2"


@dataclass(frozen=True)
class Trial:
    cluster: Cluster
    collection: Collection
    evidence: Evidence
    person: Person


@pytest.fixture
def trial(tmp_path: Path) -> Iterator[Trial]:
    skew = ",".join(f"{name}={seconds}" for name, seconds in CLOCKS.items())
    options = ("--posts", "9000", "--seed", "11", "--faults", "slow=2%1")
    with (
        running_sandbox(tmp_path / "sandbox", *options) as sandbox,
        own_names({name: url_of(name) for name in ENGINES}) as env,
        closing(Cluster(tmp_path, sandbox, engines=env, replicas=REPLICAS, open_mode=False, hatched=True)) as cluster,
    ):
        cluster.start("--log-level", "info", launcher=LAUNCHER, XGET_TRIAL_SKEW=skew, XGET_SCRAPER_LEASE_SECONDS=LEASE)
        with closing(Person(cluster.url, "one", "a long passphrase")) as person:
            assert person.register().status_code == 201
            log_in(cluster, person)
            cluster.add_proxy(sandbox.proxy)
            for name in ("one", "two"):
                cluster.add_account(name)
            yield Trial(cluster, Collection(cluster, sandbox), Evidence(env), person)


def log_in(cluster: Cluster, person: Person) -> None:
    """A token made now is good at every process."""
    person.login()
    cluster.http.headers["Authorization"] = f"Bearer {person.access}"
    for path in ("/tasks", "/accounts", "/proxies", "/data", "/quarantine", "/auth/me"):
        assert answer_of(person, path) == 200, path


def answer_of(person: Person, path: str) -> int:
    """The status of a GET, once the service is there: some were just killed."""
    deadline = time.monotonic() + 120
    while (status := person.ask("GET", path).status_code) == 503 and time.monotonic() < deadline:
        time.sleep(0.1)
    return status


def test_nothing_is_taken_early_late_or_twice_when_clocks_differ(trial: Trial) -> None:
    cluster, collection = trial.cluster, trial.collection
    began = datetime.now(UTC)
    tasks = [collection.order(LIMIT), collection.order(LIMIT)]
    eventually(lambda: all(collection.execution(task)["pages"] >= 2 for task in tasks))
    victim = max(WORKERS, key=lambda name: done_by(cluster, name))
    cluster.kill(victim)
    died = datetime.now(UTC)
    claimed = said(cluster, victim, "execution_claimed")
    held = {line["execution_id"] for line in claimed if moment(line["timestamp"]) <= died}
    collection.sandbox.faults("slow=0.25%1")
    cluster.kill("account")  # and comes back on the other side of the right time, while accounts are leased
    log_in(cluster, trial.person)
    assert held
    eventually(lambda: taken_over(cluster, died).keys() >= held, promised(30))
    took = (max(taken_over(cluster, died)[one] for one in held) - died).total_seconds()
    assert took <= promised(TAKEN_OVER_SECONDS)
    print(f"{len(held)} executions of {victim} were taken over after {took:.1f} s")
    collection.finish(600)
    log_in(cluster, trial.person)
    judge(collection, trial.evidence)
    judge_claims(cluster, collection, held)
    judge_times(collection, began)
    assert not late_outboxes(cluster)


def said(cluster: Cluster, process: str, event: str) -> list[dict[str, Any]]:
    """What a process has logged of an event."""
    lines = (cluster.home / "logs" / f"{process}.log").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines if f'"{event}"' in line]


def claims(cluster: Cluster) -> list[tuple[str, int]]:
    """Every claim of every worker: execution and fence."""
    return [(one["execution_id"], one["fence"]) for name in WORKERS for one in said(cluster, name, "execution_claimed")]


def taken_over(cluster: Cluster, died: datetime) -> dict[str, datetime]:
    """When executions were first claimed after a worker's death (log lines have the machine's true time)."""
    found: dict[str, datetime] = {}
    for line in (line for name in WORKERS for line in said(cluster, name, "execution_claimed")):
        at = moment(line["timestamp"])
        if at > died:
            found[line["execution_id"]] = min(at, found.get(line["execution_id"], at))
    return found


def late_outboxes(cluster: Cluster) -> str:
    """Processes that take the difference of clocks for waiting."""
    answers = [
        cluster.http.get(f"http://127.0.0.1:{one['port']}/readyz").text
        for name, one in cluster.state().items()
        if name != "gateway"
    ]
    return " ".join(answer for answer in answers if "waited" in answer)


def judge_claims(cluster: Cluster, collection: Collection, held: set[str]) -> None:
    """No claim stands twice, and no lease ended but those of the worker that died."""
    twice = [claim for claim, times in Counter(claims(cluster)).items() if times > 1]
    assert not twice
    executions = [collection.execution(task) for task in collection.tasks]
    resumes = {one["id"]: one["resumes"] for one in executions}
    assert resumes == {one["id"]: int(one["id"] in held) for one in executions}
    for name in WORKERS:
        assert not said(cluster, name, "execution_lost"), name


def judge_times(collection: Collection, began: datetime) -> None:
    """Whoever wrote it: all times lie within the trial."""
    first, last = began - SLACK, datetime.now(UTC) + SLACK
    for task in collection.tasks:
        execution = collection.execution(task)
        certificate = collection.ask("GET", f"/task-executions/{execution['id']}/certificate")
        times = [certificate[name] for name in ("started_at", "completed_at", "issued_at")]
        assert first <= moment(times[0]) <= moment(times[1]) <= moment(times[2]) <= last, times
        assert 0 < certificate["duration"] < (last - first).total_seconds()
    for item in collection.ask("GET", "/data", params={"size": 100})["items"]:
        assert first <= moment(item["first_seen"]) <= moment(item["last_seen"]) <= last, item


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
