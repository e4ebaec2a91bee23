"""The same one trace where every service is a process of its own and every concern on its real engine."""

import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from xget_testing.node import Cluster, running_cluster, running_sandbox
from xget_testing.otlp import OtlpReceiver, SeenSpan, otlp_receiver, path_to_root
from xget_testing.own_names import own_names
from xget_testing.tools import program
from xget_testing.waiting import eventually

ENGINES = ("postgres", "redis", "mongodb", "elasticsearch", "kafka")
pytestmark = [pytest.mark.slow, pytest.mark.connected(*ENGINES)]
TASK = {"task_name": "traced", "task_type": "KEYWORD_SEARCH", "parameters": {"query": "AI OR 人工智能", "limit": 45}}
SERVICES = {"gateway", "scraper", "scraper-worker", "account", "proxy", "processing-worker", "storage-worker"}


@pytest.fixture(scope="module")
def receiver() -> Iterator[OtlpReceiver]:
    with otlp_receiver() as found:
        yield found


@pytest.fixture(scope="module")
def cluster(
    tmp_path_factory: pytest.TempPathFactory, receiver: OtlpReceiver, engine_url: Callable[[str], str]
) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("traced")
    with running_sandbox(folder) as sandbox, own_names({name: engine_url(name) for name in ENGINES}) as names:
        env = {**names, **receiver.env, "XGET_TRACE_OPERATIONS": "1"}
        with running_cluster(folder, sandbox, engines=env, hatched=True) as running:
            yield running


@pytest.fixture(scope="module")
def trace(cluster: Cluster, receiver: OtlpReceiver) -> list[SeenSpan]:
    posted = cluster.http.post("/api/v1/tasks", json=TASK)
    assert posted.status_code == 201
    assert cluster.wait_for(posted.json()["id"])["status"] == "COMPLETED"
    trace_id = posted.headers["traceresponse"].split("-")[1]
    wanted = {"collect", "batch search-index"}
    return receiver.whole(trace_id, lambda spans: wanted <= {span.name for span in spans})


def test_processes_share_one_trace(trace: list[SeenSpan]) -> None:
    assert {span.service for span in trace} == SERVICES
    by_id = {span.span_id: span for span in trace}
    for span in trace:
        assert path_to_root(span, by_id)[-1].service == "gateway"


def test_the_engines_work_is_in_it(trace: list[SeenSpan]) -> None:
    systems = {(span.service, _system(span)) for span in trace if _system(span)}
    assert {
        ("scraper", "postgresql"),
        ("scraper-worker", "postgresql"),
        ("account", "postgresql"),
        ("storage-worker", "mongodb"),
        ("storage-worker", "elasticsearch"),
    } <= systems


def test_urls_and_statements_show_no_credentials(
    trace: list[SeenSpan], receiver: OtlpReceiver, cluster: Cluster
) -> None:
    password = cluster.env["DATABASE_URL"].rpartition("@")[0].rpartition(":")[2]
    assert password
    assert password.encode() not in b"".join(receiver.bodies)
    assert (Path(cluster.home) / "internal.token").read_bytes().strip() not in b"".join(receiver.bodies)


def _system(span: SeenSpan) -> str:
    return str(span.attributes.get("db.system") or span.attributes.get("db.system.name") or "")


@pytest.mark.connected("promtool")
def test_each_process_measures_itself_and_the_engines_it_uses(cluster: Cluster, trace: list[SeenSpan]) -> None:
    shown: dict[str, str] = {}

    def told(name: str, sample: str) -> bool:
        """An engine that is asked while the machine is busy may be too late for once."""
        port = cluster.state()[name]["port"]
        shown[name] = cluster.http.get(f"http://127.0.0.1:{port}/metrics").text
        return re.search(sample, shown[name]) is not None

    up = {
        "account": 'tables",engine="postgresql', "processing-worker": 'events",engine="kafka',
        "storage-worker": 'documents",engine="mongodb', "storage": 'search",engine="elasticsearch',
    }  # fmt: skip
    for name, engine in up.items():
        eventually(lambda name=name, engine=engine: told(name, rf'xget_engine_up{{concern="{engine}"}} 1\.0'))
    eventually(lambda: told("scraper-worker", r'xget_scraper_matches_total{platform="x"} 45\.0'))
    lag = r'xget_events_lag_records\{group="storage",partition="\d+",topic="xget.results"\} 0.0'
    eventually(lambda: told("storage-worker", lag))
    for name in cluster.state():
        assert told(name, "")
    for text in shown.values():
        ours = "\n".join(line for line in text.splitlines() if "xget_" in line) + "\n"
        run = subprocess.run(
            [program("promtool"), "check", "metrics"], input=ours, capture_output=True, text=True, check=False
        )
        assert (run.returncode, run.stdout + run.stderr) == (0, "")
