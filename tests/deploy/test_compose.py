"""docker-compose.dev.yml is what compose understands, agrees with the design, and keeps no secret."""

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml

from xget_account.settings import Settings as AccountSettings
from xget_standalone.gateway.config import load
from xget_standalone.services import OFFSETS, PARTS, WORKER_OFFSET, WORKERS

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "docker-compose.dev.yml"
WHOLE: dict[str, Any] = yaml.safe_load(FILE.read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = WHOLE["services"]
OURS = {name: one for name, one in SERVICES.items() if one["image"].startswith("xget:dev")}
SERVERS = {name: one for name, one in OURS.items() if one["command"][0] == "serve"}
WORKING = {name: one for name, one in OURS.items() if one["command"][0] == "worker"}
IMAGES = {
    "postgres": "postgres:18",
    "mongodb": "mongo:8",
    "elasticsearch": "elasticsearch:9.5.3",
    "redis": "redis:8",
    "kafka": "apache/kafka:4.1.1",
    "gateway": "kong:3.9",
    "jaeger": "jaegertracing/all-in-one:1.76.0",
    "prometheus": "prom/prometheus:v3.7.3",
}
PROGRAMS = {
    "postgres": "pg_isready",
    "mongodb": "mongosh",
    "elasticsearch": "curl",
    "redis": "redis-cli",
    "kafka": "/opt/kafka/bin/kafka-broker-api-versions.sh",
    "gateway": "kong",
    "prometheus": "wget",
}
"""What each official image has on board to ask it with; Jaeger's has nothing, and nobody waits for it."""
FOREIGN = {"XGET_HEALTH_URL", "OTEL_EXPORTER_OTLP_ENDPOINT"}
"""Read by the image's health check and by OpenTelemetry."""


def test_compose_itself_accepts_the_file() -> None:
    compose = str(Path(sys.executable).with_name("docker-compose"))
    command = [compose, "-f", str(FILE), "config", "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert (done.stdout + done.stderr).strip() == ""


def test_compose_would_refuse_a_field_that_does_not_exist(tmp_path: Path) -> None:
    compose = str(Path(sys.executable).with_name("docker-compose"))
    wrong = tmp_path / "compose.yml"
    wrong.write_text(FILE.read_text("utf-8").replace("stop_grace_period:", "stop_grace:", 1))
    command = [compose, "-f", str(wrong), "--project-directory", str(ROOT), "config", "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert "stop_grace" in done.stdout + done.stderr


def test_every_service_and_worker_runs_and_nothing_else_of_ours() -> None:
    assert {one["command"][1] for one in SERVERS.values()} == set(PARTS)
    assert set(SERVERS) == set(PARTS), "names are the host names that kong.yml uses"
    assert {one["command"][1] for one in WORKING.values()} == set(WORKERS)
    assert set(WORKING) == {f"{name}-worker" for name in WORKERS}
    assert set(OURS) - set(SERVERS) - set(WORKING) == {"gateway-config"}


def test_images_are_the_official_ones_of_pinned_versions() -> None:
    assert {name: one["image"] for name, one in SERVICES.items() if name not in OURS} == IMAGES


def test_ports_are_those_of_the_design_on_the_loopback_and_unique() -> None:
    published = [port for one in SERVICES.values() for port in one.get("ports", [])]
    hosts = [port.split(":")[1] for port in published]
    assert len(set(hosts)) == len(hosts)
    assert all(port.startswith("127.0.0.1:") for port in published)
    for name, offset in OFFSETS.items():
        assert SERVICES[name]["ports"] == [f"127.0.0.1:{8000 + offset}:{8000 + offset}"]
    assert SERVICES["gateway"]["ports"] == ["127.0.0.1:8000:8000"]
    assert not [name for name in WORKING if "ports" in SERVICES[name]], "workers scale, so they publish none"


def test_health_is_asked_where_it_is() -> None:
    for name, one in (SERVERS | WORKING).items():
        service = one["command"][1]
        port = 8000 + OFFSETS[service] + (WORKER_OFFSET if name in WORKING else 0)
        assert one["environment"]["XGET_HEALTH_URL"] == f"http://127.0.0.1:{port}/healthz"
        assert one.get("healthcheck") is None, "the image has it"


def test_kong_and_the_targets_of_prometheus_agree_with_the_names() -> None:
    assert load(ROOT / "gateway" / "kong.yml").upstreams == {name: 8000 + offset for name, offset in OFFSETS.items()}
    scraped = yaml.safe_load((ROOT / "deploy/observability/prometheus/prometheus.yml").read_text("utf-8"))
    targets = {
        target for job in scraped["scrape_configs"] for one in job["static_configs"] for target in one["targets"]
    }
    wanted = {f"{name}:{8000 + offset}" for name, offset in OFFSETS.items()}
    wanted |= {f"{name}-worker:{8000 + OFFSETS[name] + WORKER_OFFSET}" for name in WORKERS}
    assert wanted <= targets


def test_every_variable_is_a_setting() -> None:
    for one in (SERVERS | WORKING).values():
        kind = import_module(f"xget_{one['command'][1]}.settings").Settings
        known = {field.validation_alias or f"XGET_{name.upper()}" for name, field in kind.model_fields.items()}
        assert set(one["environment"]) - FOREIGN <= known


def test_the_settings_select_every_real_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    from xget_kernel.engines import CONCERNS  # noqa: PLC0415
    from xget_kernel.settings import ServiceSettings  # noqa: PLC0415

    for name, value in SERVERS["auth"]["environment"].items():
        monkeypatch.setenv(name, re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value))
    settings = ServiceSettings()
    assert all(settings.is_real(concern) for concern in CONCERNS)
    assert settings.tables("auth").startswith("postgresql+asyncpg://xget:for-development-only@postgres:5432/xget")


def test_whoever_is_waited_for_can_be_waited_for() -> None:
    for name, one in SERVICES.items():
        for other, how in (one.get("depends_on") or {}).items():
            assert other in SERVICES, f"{name} waits for {other}"
            waited = SERVICES[other]
            if how["condition"] == "service_healthy":
                asked = waited.get("healthcheck", {"test": ["CMD", "image"]} if other in OURS else {})
                assert asked.get("test"), f"{name} waits for {other}, which has no health check"
                assert not asked.get("disable")
            else:
                assert how["condition"] == "service_completed_successfully"
                assert waited["restart"] == "no", f"{other} must end for {name} to begin"


def test_nobody_waits_in_a_circle() -> None:
    done: set[str] = set()
    while len(done) < len(SERVICES):
        free = {name for name, one in SERVICES.items() if set(one.get("depends_on") or {}) <= done} - done
        assert free, f"they wait for one another: {sorted(set(SERVICES) - done)}"
        done |= free


def test_health_checks_use_what_the_images_have() -> None:
    assert {
        n: one["healthcheck"]["test"][1] for n, one in SERVICES.items() if n in IMAGES and n != "jaeger"
    } == PROGRAMS
    assert all(one["healthcheck"]["test"][0] == "CMD" for name, one in SERVICES.items() if name in PROGRAMS)


def test_kong_reads_our_declaration_with_the_keys_of_this_deployment() -> None:
    command = SERVICES["gateway-config"]["command"]
    assert command[:2] == ["gateway", "render"]
    assert "--jwks=http://auth:8001/.well-known/jwks.json" in command
    assert "./gateway:/gateway:ro" in SERVICES["gateway-config"]["volumes"]
    assert "--file=/gateway/kong.yml" in command
    kong = SERVICES["gateway"]
    assert "gateway:/kong:ro" in kong["volumes"]
    assert kong["environment"]["KONG_DATABASE"] == "off"
    assert kong["environment"]["KONG_DECLARATIVE_CONFIG"] == "/kong/kong.yml"
    assert kong["depends_on"]["gateway-config"]["condition"] == "service_completed_successfully"


def test_ours_run_with_as_little_as_they_need() -> None:
    for name, one in OURS.items():
        assert one["read_only"] is True, name
        assert one["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in one["security_opt"], name
        assert len(one["tmpfs"]) == 1, name
        assert "privileged" not in one, name


def test_who_logs_accounts_in_has_a_browser_room_for_it_and_a_limit() -> None:
    assert {name for name, one in OURS.items() if one["image"] != "xget:dev"} == {"account-worker"}
    worker = SERVICES["account-worker"]
    assert (worker["image"], worker["build"]["target"]) == ("xget:dev-browser", "browser")
    assert int(worker["mem_limit"].removesuffix("m")) >= AccountSettings().login_memory_mb + 512
    assert [one.partition(":")[2] for one in worker["tmpfs"]] == ["size=512m,mode=1777"]
    assert {"shm_size", "pids_limit"} <= set(worker)


def test_passwords_come_from_the_environment_and_are_named_in_the_example() -> None:
    text = FILE.read_text("utf-8")
    used = set(re.findall(r"\$\{(\w+)", text))
    example = dict(
        line.split("=", 1) for line in (ROOT / ".env.example").read_text().splitlines() if line[:1].isupper()
    )
    assert set(example) == used
    assert set(example.values()) == {"for-development-only"}
    assert not re.search(r"(?im)password: +(?!\"?\$\{)\S", text)


def test_every_named_volume_is_declared_and_every_mounted_file_is_there() -> None:
    for name, one in SERVICES.items():
        for volume in one.get("volumes", []):
            source = volume.split(":")[0]
            assert (ROOT / source).exists() if source.startswith(".") else source in WHOLE["volumes"], name
