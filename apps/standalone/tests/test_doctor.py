"""A check-up says what is wrong and how to mend it, whatever runs and whatever is down, and tells no secret."""

import asyncio
import os
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from importlib import import_module
from pathlib import Path

import msgspec
import pytest

from xget_db.migrations import upgrade
from xget_events.dlq import replay
from xget_events.opening import open_event_log
from xget_events.sqlite import SqliteEventLog
from xget_kernel.keys import KeyStore
from xget_kernel.messages import Message
from xget_kernel.settings import ServiceSettings
from xget_standalone.doctor import events, services
from xget_standalone.doctor.checkup import check_up
from xget_standalone.doctor.events import GROUPS
from xget_standalone.doctor.findings import Finding
from xget_standalone.doctor.machine import look_at_home
from xget_standalone.doctor.outboxes import ANNOUNCING
from xget_standalone.doctor.running import engines_of_running
from xget_standalone.doctor.services import beside
from xget_standalone.services import PARTS
from xget_standalone.topics import create_topics
from xget_testing.own_names import own_names

NOBODY = "http://127.0.0.1:9"
DOWN = {
    "POSTGRES_SERVER": "127.0.0.1:1",
    "POSTGRES_PASSWORD": "s3cret-one",
    "MONGODB_URL": "mongodb://me:s3cret-two@127.0.0.1:1",
    "ELASTICSEARCH_URL": "http://me:s3cret-three@127.0.0.1:1",
    "REDIS_URL": "redis://:s3cret-four@127.0.0.1:1",
    "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
}


@pytest.fixture(autouse=True)
def nothing_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AUTH", "ACCOUNT", "PROXY", "SCRAPER", "PROCESSING", "STORAGE"):
        monkeypatch.setenv(f"{name}_SERVICE_URL", NOBODY)
    for module, name in ((services, "ASK_SECONDS"), (events, "PROBE_SECONDS")):
        monkeypatch.setattr(module, name, 60.0)  # who is away here refuses at once; only this machine may be slow


def by_area(findings: list[Finding], area: str) -> dict[str, Finding]:
    return {finding.name: finding for finding in findings if finding.area == area}


def wrong(findings: list[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.state == "wrong"]


async def test_a_home_that_is_not_there_yet_is_no_fault_and_is_not_made(tmp_path: Path) -> None:
    findings = await check_up(tmp_path / "home", NOBODY)
    assert not wrong(findings)
    assert set(by_area(findings, "engine")) == {"tables", "documents", "search", "events", "cache"}
    assert not (tmp_path / "home").exists()


async def test_lag_and_dead_letters_are_counted(tmp_path: Path) -> None:
    settings = ServiceSettings(home=tmp_path)
    log = SqliteEventLog(tmp_path / "events.db")
    await create_topics(log, settings)
    async with log.consumer("storage", ["xget.results"]) as consumer:
        await consumer.poll(timeout=0.1)
    await log.publish([Message("xget.results", "k", b"{}", {}), Message("xget.results.dlq", "k", b"{}", {})])
    await log.close()
    findings = await check_up(tmp_path, NOBODY)
    assert by_area(findings, "lag")["storage"].facts == {"lag": {"xget.results": 1}}
    letters = by_area(findings, "dead letters")
    assert letters["xget.results.dlq"].facts == {"records": 1}
    assert [finding.name for finding in wrong(findings)] == ["xget.results.dlq"]
    assert letters["xget.results.dlq"].advice


@pytest.mark.parametrize("engine", ["sqlite", pytest.param("kafka", marks=pytest.mark.connected("kafka"))])
async def test_a_dead_letter_counts_until_it_is_sent_again(
    engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    urls = {"kafka": request.getfixturevalue("kafka_servers")} if engine == "kafka" else {}
    with own_names(urls) as env:
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        settings = ServiceSettings(home=tmp_path)
        log = open_event_log(settings)
        await create_topics(log, settings)
        await log.publish([Message("xget.results.dlq", key, b"{}", {}) for key in "abc"])
        found = by_area(await check_up(tmp_path, NOBODY), "dead letters")
        assert found["xget.results.dlq"].facts == {"records": 3}
        await replay(log, "xget.results", limit=2)
        found = by_area(await check_up(tmp_path, NOBODY), "dead letters")
        assert found["xget.results.dlq"].facts == {"records": 1}
        await log.close()


@asynccontextmanager
async def answering(body: str) -> AsyncIterator[int]:
    """A server that answers everything with this JSON; its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


async def test_a_cluster_on_the_home_is_found_whatever_its_ports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("STORAGE_SERVICE_URL")
    ready = '{"status": "ready"}'
    less = '{"status": "ready", "reasons": [], "degraded": ["Search is away."]}'
    async with answering(ready) as one, answering(less) as two:
        runs = {"gateway": one, "storage": one, "auth": one, "storage-worker-2": two}
        state = {name: {"pid": os.getpid(), "port": port, "starts": 1} for name, port in runs.items()}
        state["proxy-worker"] = {"pid": 0, "port": 1, "starts": 3}
        (tmp_path / "cluster.json").write_bytes(msgspec.json.encode(state))
        found = by_area(await check_up(tmp_path), "service")
        assert {name: found[name].address for name in ("gateway", "storage")} == dict.fromkeys(
            ("gateway", "storage"), f"http://127.0.0.1:{one}"
        )
        assert (found["storage-worker-2"].state, found["storage-worker-2"].says) == ("ok", "Search is away.")
        assert found["auth"].address == NOBODY  # the environment knows better
        assert "proxy-worker" not in found
        assert by_area(await check_up(tmp_path, NOBODY), "service")["gateway"].address == NOBODY


async def test_tables_of_another_release_are_named_with_both_versions(tmp_path: Path) -> None:
    upgrade(ServiceSettings(home=tmp_path).tables("auth"), "xget_auth")
    found = by_area(await check_up(tmp_path, NOBODY), "migrations")
    assert found["auth"].state == "ok"
    assert found["account"].state == "idle"
    with closing(sqlite3.connect(tmp_path / "auth.db")) as rows, rows:
        rows.execute("UPDATE xget_auth_version SET version_num = '9999'")
    spoilt = by_area(await check_up(tmp_path, NOBODY), "migrations")["auth"]
    assert spoilt.state == "wrong"
    assert spoilt.advice


@pytest.mark.mongodb_away
@pytest.mark.slow
async def test_engines_that_are_down_are_named_without_their_passwords(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in DOWN.items():
        monkeypatch.setenv(name, value)
    findings = await check_up(tmp_path, NOBODY)
    engines = by_area(findings, "engine")
    assert {finding.state for finding in engines.values()} == {"wrong"}
    assert all("127.0.0.1:1" in one.says and "correct" in one.advice for one in engines.values())
    assert b"s3cret" not in msgspec.json.encode(findings)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_home_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert look_at_home(tmp_path).state == "wrong"


def test_keys_that_others_may_read_are_named(tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text("{}")
    (tmp_path / "keys.json").chmod(0o644)
    found = look_at_home(tmp_path)
    assert (found.state, "chmod 600" in found.advice) == ("wrong", True)


def test_the_groups_that_are_looked_at_are_those_of_the_workers() -> None:
    scraper, processing, storage = (
        import_module(f"xget_{name}") for name in ("scraper.worker", "processing.consumers", "storage.consumers")
    )
    own = {scraper.TASKS_GROUP, scraper.STORED_GROUP, scraper.ACCOUNTS_GROUP, processing.GROUP, processing.FORGETTING}
    assert own | {storage.STORAGE, storage.RAW_PAGES, storage.SEARCH} == set(GROUPS)


def test_the_outboxes_that_are_looked_at_are_those_of_the_services() -> None:
    models = {name: import_module(f"xget_{name}.models") for name, part in PARTS.items() if "tables" in part.serves}
    assert {name for name, module in models.items() if "outbox" in module.Base.metadata.tables} == set(ANNOUNCING)


async def test_messages_that_stand_aside_are_told_with_their_reason(tmp_path: Path) -> None:
    settings = ServiceSettings(home=tmp_path)
    for service in ANNOUNCING:
        upgrade(settings.tables(service), f"xget_{service}")
    assert by_area(await check_up(tmp_path, NOBODY), "outbox") == {}
    with closing(sqlite3.connect(tmp_path / "processing.db")) as rows, rows:
        row = ("xget.results", "k", b"{}", '{"ce_id": "1", "xget-refused": "A message is too large."}', "2026-07-31")
        rows.execute("INSERT INTO outbox (topic, key, value, headers, created_at) VALUES (?, ?, ?, ?, ?)", row)
    (found,) = by_area(await check_up(tmp_path, NOBODY), "outbox").values()
    assert (found.name, found.state, found.facts) == ("processing", "wrong", {"refused": 1})
    assert "xget.results: A message is too large." in found.says
    assert found.advice


async def test_secrets_that_no_key_opens_are_told_with_the_key_that_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = ServiceSettings(home=tmp_path)
    upgrade(settings.tables("proxy"), "xget_proxy")
    assert by_area(await check_up(tmp_path, NOBODY), "keys") == {}
    assert not (tmp_path / "keys.json").exists()
    ring = KeyStore(tmp_path / "keys.json").open()
    with closing(sqlite3.connect(tmp_path / "proxy.db")) as rows, rows:
        told = {"id": "1", "password": ring.encrypt("pw", aad="proxies:1:password")}
        for _, name, _, needed, default, _ in rows.execute("PRAGMA table_info(proxies)").fetchall():
            if needed and default is None:
                told.setdefault(name, "0")
        marks = ", ".join("?" * len(told))
        rows.execute(f"INSERT INTO proxies ({', '.join(told)}) VALUES ({marks})", list(told.values()))  # noqa: S608 - constants
    (found,) = by_area(await check_up(tmp_path, NOBODY), "keys").values()
    assert (found.name, found.state, found.facts["secrets"]) == ("proxy", "ok", 1)
    (tmp_path / "keys.json").unlink()
    (found,) = by_area(await check_up(tmp_path, NOBODY), "keys").values()
    assert (found.name, found.state) == ("keys", "wrong")
    assert f"the key {ring.ids[0]} wrote proxies.password 1" in found.says
    KeyStore(tmp_path / "keys.json").open()
    (found,) = by_area(await check_up(tmp_path, NOBODY), "keys").values()
    assert found.state == "wrong"
    assert f"they were written with {ring.ids[0]}" in found.says
    assert "xget keys status" in found.advice


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="processes show their environment on Linux")
async def test_engines_of_what_runs_are_asked_when_the_environment_selects_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = "import sys; sys.stdin.read()"
    env = {"REDIS_URL": "redis://:s3cret@127.0.0.1:1/0", "REDIS_PREFIX": "theirs", "OTHER": "x"}
    running = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, "xget", env=env, stdin=asyncio.subprocess.PIPE
    )
    try:
        (tmp_path / "lock").write_text(f"999999999\n{running.pid}\n")
        assert engines_of_running(tmp_path) == {"redis_url": env["REDIS_URL"], "redis_prefix": "theirs"}
        found = by_area(await check_up(tmp_path, NOBODY), "engine")["cache"]
        assert (found.engine, found.state) == ("redis", "wrong")
        monkeypatch.setenv("POSTGRES_SERVER", "127.0.0.1")
        assert engines_of_running(tmp_path) == {}
    finally:
        running.kill()
        await running.wait()
    monkeypatch.delenv("POSTGRES_SERVER")
    assert engines_of_running(tmp_path) == {}


@pytest.mark.parametrize(
    ("gateway", "auth"),
    [
        ("http://127.0.0.1:18700", "http://127.0.0.1:18701"),
        ("http://[::1]:8000/", "http://[::1]:8001"),
        ("http://localhost", None),
        ("https://xget.example:8000", None),
        ("http://127.0.0.1:99999", None),
        (None, None),
    ],
)
def test_services_of_one_process_are_looked_for_behind_their_gateway(gateway: str | None, auth: str | None) -> None:
    assert beside(gateway).get("auth") == auth
