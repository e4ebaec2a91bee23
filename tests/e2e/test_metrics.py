"""What a node that has collected something shows to Prometheus, and the alert rules on it, both judged by promtool."""

import json
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from xget_standalone.services import PARTS, WORKER_OFFSET, WORKERS
from xget_testing.node import Node, running_node, running_sandbox
from xget_testing.tools import program

SERVICES = {"auth": 1, "scraper": 3, "account": 4, "proxy": 5, "processing": 6, "storage": 7}
RULES = Path(__file__).resolve().parents[2] / "deploy" / "observability" / "prometheus"
QUERY = "AI OR 人工智能"
WANTED = {
    "xget_http_requests_total",
    "xget_ready",
    "xget_executions",
    "xget_scraper_pages_total",
    "xget_scraper_matches_total",
    "xget_scraper_requests_total",
    "xget_processing_pages_total",
    "xget_processing_items_total",
    "xget_processing_quarantined_total",
    "xget_storage_pages_total",
    "xget_storage_items_total",
    "xget_storage_indexed_total",
    "xget_events_handled_total",
    "xget_events_dlq_total",
    "xget_events_lag_records",
    "xget_outbox_rows",
    "xget_outbox_oldest_seconds",
    "xget_outbox_refused_rows",
    "xget_accounts",
    "xget_accounts_with_budget",
    "xget_account_budget_left_requests",
    "xget_account_acquires_total",
    "xget_proxies",
}


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    folder = tmp_path_factory.mktemp("metrics")
    with running_sandbox(folder) as sandbox, running_node(folder, sandbox) as found:
        task = found.create("KEYWORD_SEARCH", {"query": QUERY, "limit": 30})
        assert found.wait_for(task)["status"] == "COMPLETED"
        yield found


@pytest.fixture(scope="module")
def shown(node: Node) -> dict[str, str]:
    """The text of every service's /metrics, once the runners have told their lag and all has come to rest."""
    deadline = time.monotonic() + 120
    while True:
        texts = {name: _metrics(node, offset) for name, offset in SERVICES.items()}
        ready = all(f'xget_ready{{service="{name}"}} 1.0' in text for name, text in texts.items())
        rest = ready and "\nxget_outbox_rows 0.0" in texts["scraper"]
        if rest and "xget_events_lag_records{" in texts["storage"] and 'status="COMPLETED"' in texts["scraper"]:
            return texts
        assert time.monotonic() < deadline
        time.sleep(0.2)


def _metrics(node: Node, offset: int) -> str:
    answer = node.http.get(f"http://127.0.0.1:{node.base + offset}/metrics")
    assert answer.status_code == 200
    return answer.text


def value(text: str, sample: str) -> float:
    found = re.search(rf"^{re.escape(sample)} (\S+)$", text, re.MULTILINE)
    assert found, f"{sample} is not shown"
    return float(found.group(1))


@pytest.mark.slow
@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.connected("promtool")
def test_promtool_finds_nothing_to_blame(shown: dict[str, str], service: str) -> None:
    ours = "\n".join(line for line in shown[service].splitlines() if "xget_" in line) + "\n"
    command = [program("promtool"), "check", "metrics"]
    run = subprocess.run(command, input=ours, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout + run.stderr) == (0, "")


@pytest.mark.slow
def test_what_was_done_is_counted(shown: dict[str, str]) -> None:
    names = {line.split(" ")[2] for text in shown.values() for line in text.splitlines() if line.startswith("# TYPE")}
    assert names >= WANTED
    scraper, storage, processing = shown["scraper"], shown["storage"], shown["processing"]
    assert value(scraper, 'xget_scraper_matches_total{platform="x"}') == 30
    pages = value(scraper, 'xget_scraper_pages_total{platform="x",task_type="KEYWORD_SEARCH"}')
    assert pages == value(processing, 'xget_processing_pages_total{platform="x"}')
    assert pages == value(storage, "xget_storage_pages_total")
    assert value(storage, 'xget_storage_items_total{outcome="new"}') >= 30
    assert value(scraper, 'xget_executions{phase="ended",status="COMPLETED"}') == 1
    assert value(scraper, "xget_outbox_rows") == 0
    assert value(scraper, "xget_outbox_refused_rows") == 0
    assert value(shown["account"], 'xget_accounts{status="ACTIVE"}') == 1
    assert value(shown["account"], "xget_account_budget_left_requests") > 0
    for name, text in shown.items():
        assert value(text, f'xget_ready{{service="{name}"}}') == 1


@pytest.mark.slow
def test_labels_hold_no_ids_and_no_words_of_users(shown: dict[str, str], node: Node) -> None:
    task = node.api("GET", "/tasks")["items"][0]
    for text in shown.values():
        for unbounded in (task["id"], task["execution_id"], "AI OR", str(node.home)):
            assert unbounded not in text
        assert not re.search(r'="[0-9a-f]{8}-[0-9a-f]{4}-', text)


@pytest.mark.connected("promtool")
@pytest.mark.parametrize("command", [["check", "config", "prometheus.yml"], ["test", "rules", "alerts.test.yml"]])
def test_promtool_accepts_the_configuration_and_every_alert_fires_when_it_should(command: list[str]) -> None:
    run = subprocess.run([program("promtool"), *command], cwd=RULES, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


def test_every_alert_has_a_test_that_fires_it_and_one_that_does_not() -> None:
    rules = yaml.safe_load((RULES / "alerts.yml").read_text("utf-8"))
    alerts = {rule["alert"] for group in rules["groups"] for rule in group["rules"]}
    tried: dict[bool, set[str]] = {True: set(), False: set()}
    for test in yaml.safe_load((RULES / "alerts.test.yml").read_text("utf-8"))["tests"]:
        for one in test["alert_rule_test"]:
            tried[bool(one["exp_alerts"])].add(one["alertname"])
    assert tried == {True: alerts, False: alerts}


@pytest.mark.slow
def test_alerts_speak_of_metrics_that_exist(shown: dict[str, str]) -> None:
    text = (RULES / "alerts.yml").read_text("utf-8")
    spoken = set(re.findall(r"\bxget_[a-z_]+", text))
    only_with_engines = {"xget_engine_up", "xget_breaker_state"}
    assert {name for name in spoken if name not in json.dumps(shown)} <= only_with_engines


def test_prometheus_asks_every_service_and_worker_where_the_compose_file_runs_it() -> None:
    config = yaml.safe_load((RULES / "prometheus.yml").read_text("utf-8"))
    targets = {t for job in config["scrape_configs"] for one in job["static_configs"] for t in one["targets"]}
    served = {f"{name}:{8000 + part.offset}" for name, part in PARTS.items()}
    assert targets == served | {f"{name}-worker:{8000 + PARTS[name].offset + WORKER_OFFSET}" for name in WORKERS}
    compose = yaml.safe_load((RULES.parents[2] / "docker-compose.dev.yml").read_text("utf-8"))
    assert {target.partition(":")[0] for target in targets} <= set(compose["services"])
