"""One process per service, as users drive it: on embedded engines in one home, and on five real engines."""

import csv
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from xget_testing.node import XGET, Cluster, NotStarted, Sandbox, running_cluster, running_sandbox
from xget_testing.own_names import own_names
from xget_testing.waiting import eventually, promised

pytestmark = pytest.mark.slow
QUERY = "AI OR 人工智能"
LIMIT = 300
IDLE_MB = 150
ENGINES = ("postgres", "redis", "mongodb", "elasticsearch", "kafka")


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with running_sandbox(tmp_path_factory.mktemp("sandbox")) as running:
        yield running


@pytest.fixture(scope="module", params=["embedded", pytest.param("real", marks=pytest.mark.connected(*ENGINES))])
def cluster(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    sandbox: Sandbox,
    engine_url: Callable[[str], str],
) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "embedded":
        with running_cluster(folder, sandbox, open_mode=False) as running:
            yield running
        return
    with own_names({name: engine_url(name) for name in ENGINES}) as env:
        replicas = "worker=2,processing=2,storage=2"
        with running_cluster(folder, sandbox, engines=env, replicas=replicas, open_mode=False) as running:
            yield running


def xget(cluster: Cluster, *command: str, typed: str = "") -> str:
    env = {**cluster.env, "XGET_URL": cluster.url, "XGET_CONFIG_DIR": str(cluster.folder / "config")}
    done = subprocess.run(
        [XGET, *command], env=env, cwd=cluster.folder, input=typed, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}\n{cluster.logs()}"
    return done.stdout


def export(cluster: Cluster, task: str) -> list[dict]:
    xget(cluster, "export", task, "--format", "jsonl", "-o", "posts.jsonl")
    return [json.loads(line) for line in (cluster.folder / "posts.jsonl").read_text("utf-8").splitlines()]


def test_each_process_is_small_before_it_is_asked_for_anything(cluster: Cluster) -> None:
    resident = {name: _resident_mb(one["pid"]) for name, one in cluster.state().items()}
    assert {name: size for name, size in resident.items() if size > IDLE_MB} == {}


def _resident_mb(pid: int) -> float:
    (line,) = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS:")]
    return int(line.split()[1]) / 1024


def test_the_main_thread_from_registration_to_export(cluster: Cluster, sandbox: Sandbox) -> None:
    xget(cluster, "login", "demo", "--register", "--password-stdin", typed="a long passphrase\n")
    cookies = [{"name": "auth_token", "value": "a" * 40}, {"name": "ct0", "value": "c" * 32}]
    text = json.dumps([{**cookie, "domain": ".x.com", "path": "/"} for cookie in cookies])
    xget(cluster, "accounts", "import", "-", "--username", "one", typed=text)
    xget(cluster, "proxies", "import", "-", typed=f"{sandbox.proxy}\n")
    xget(cluster, "tasks", "create", "keyword-search", QUERY, "--limit", str(LIMIT), "--watch")
    task = json.loads(xget(cluster, "tasks", "list", "--json"))["items"][0]
    certificate = json.loads(xget(cluster, "tasks", "certificate", task["id"], "--json"))
    assert (task["status"], certificate["end_reason"]) == ("COMPLETED", "limit_reached")
    eventually(lambda: all(found(cluster, *words) for words in (("AI",), ("人工智能", "--lang", "zh"))))
    items = export(cluster, task["id"])
    truth = sandbox.truth(task_type="KEYWORD_SEARCH", query=QUERY, limit=LIMIT)["matches"][:LIMIT]
    stored = [item["native_id"] for item in items if item["role"] == "match"]
    assert sorted(stored) == sorted(str(post) for post in truth)
    assert len(stored) == LIMIT
    xget(cluster, "export", task["id"], "--format", "csv", "-o", "posts.csv")
    with (cluster.folder / "posts.csv").open(encoding="utf-8-sig", newline="") as file:
        assert len(list(csv.DictReader(file))) == len(items)


def found(cluster: Cluster, *words: str) -> int:
    return int(json.loads(xget(cluster, "search", *words, "--json"))["total"])


def test_processes_that_are_killed_come_back_and_the_run_is_whole(cluster: Cluster, sandbox: Sandbox) -> None:
    query = "quantum OR 量子 OR AI"
    before = cluster.state()
    xget(cluster, "tasks", "create", "keyword-search", query, "--limit", "200")
    for name in ("scraper-worker", "storage-worker", "processing-worker", "storage", "account", "gateway"):
        cluster.kill(name)
        time.sleep(0.3)
    cluster.wait_ready()
    task = json.loads(xget(cluster, "tasks", "list", "--json"))["items"][0]
    xget(cluster, "tasks", "watch", task["id"])
    truth = sandbox.truth(task_type="KEYWORD_SEARCH", query=query, limit=200)["matches"][:200]
    stored = [item["native_id"] for item in export(cluster, task["id"]) if item["role"] == "match"]
    assert sorted(stored) == sorted(str(post) for post in truth)
    after = cluster.state()
    assert {name for name in after if after[name]["starts"] > before[name]["starts"]} == {
        "scraper-worker", "storage-worker", "processing-worker", "storage", "account", "gateway",
    }  # fmt: skip


def test_each_process_can_be_watched(cluster: Cluster) -> None:
    for name, one in cluster.state().items():
        places = ["healthz", "readyz"] + (["metrics"] if name != "gateway" else [])
        for place in places:
            eventually(lambda url=f"http://127.0.0.1:{one['port']}/{place}": cluster.http.get(url).status_code == 200)


def test_the_doctor_finds_a_running_cluster_well(cluster: Cluster) -> None:
    urls = {
        f"{name.upper()}_SERVICE_URL": f"http://127.0.0.1:{one['port']}"
        for name, one in cluster.state().items()
        if "-" not in name and name != "gateway"
    }
    env = {**cluster.env, **urls, "XGET_HOME": str(cluster.home), "XGET_URL": cluster.url}

    def checked() -> subprocess.CompletedProcess[str]:
        return subprocess.run([XGET, "doctor", "--json"], env=env, capture_output=True, text=True, check=False)

    done = checked()
    for _ in range(5):  # what does not answer within its seconds on a busy machine does so later
        done = checked() if done.returncode else done
    report = json.loads(done.stdout)
    assert done.returncode == 0, [finding for finding in report["findings"] if finding["state"] == "wrong"]
    assert report["well"] is True
    running = {f["name"] for f in report["findings"] if f["area"] == "service" and f["state"] == "ok"}
    assert running >= {"gateway", "auth", "account", "proxy", "scraper", "processing", "storage"}
    assert running == set(cluster.state())  # the workers too
    lags = {f["name"]: f["state"] for f in report["findings"] if f["area"] == "lag"}
    assert set(lags.values()) == {"ok"}, lags


def test_a_whole_node_is_refused_where_services_run(cluster: Cluster) -> None:
    command = [XGET, "up", "--home", str(cluster.home), "--port-base", str(cluster.base + 40)]
    done = subprocess.run(command, env=cluster.env, capture_output=True, text=True, timeout=180, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert str(cluster.pids()["auth"]) in done.stderr


def test_it_drains_in_time_and_leaves_nobody_behind(cluster: Cluster) -> None:
    pids = list(cluster.pids().values())
    began = time.monotonic()
    assert cluster.stop() == 0, (cluster.folder / "cluster.log").read_text()
    assert time.monotonic() - began < promised(15)
    assert not [pid for pid in pids if lives(pid)]
    assert "Traceback" not in cluster.logs()
    cluster.start()
    pids = list(cluster.pids().values())
    process = cluster.process
    assert process is not None
    process.kill()
    eventually(lambda: not any(lives(pid) for pid in pids))


def lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2]


@pytest.mark.parametrize(
    ("options", "env", "words"),
    [
        (("--replicas", "storage=2"), {}, ("XGET_REPLICAS", "MONGODB_URL")),
        (("--replicas", "gateway=2"), {}, ("--replicas",)),
        ((), {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"}, ("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")),
        ((), {"POSTGRES_SERVER": "127.0.0.1:1"}, ("POSTGRES_SERVER", "127.0.0.1:1")),
    ],
)
def test_what_cannot_be_is_refused_on_one_line(
    tmp_path: Path, options: tuple[str, ...], env: dict[str, str], words: tuple[str, ...]
) -> None:
    cluster = Cluster(tmp_path)
    try:
        with pytest.raises(NotStarted) as refused:
            cluster.start(*options, **env)
        assert cluster.process is None
    finally:
        cluster.close()
    said = str(refused.value)
    assert said.count("\n") == 1, said
    assert said.startswith("xget: ")
    assert all(word in said for word in words), said


def test_a_stop_during_the_start_is_heard(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path)
    command = [XGET, "cluster", "--port-base", str(cluster.base), "--home", str(cluster.home)]
    with (tmp_path / "out").open("w") as out:
        child = subprocess.Popen(command, env=cluster.env, stdout=out, stderr=out)
    eventually((cluster.home / "cluster.json").exists)
    child.send_signal(signal.SIGINT)
    assert child.wait(90) == 0, (tmp_path / "out").read_text()
    assert not cluster.pids()
    cluster.close()
