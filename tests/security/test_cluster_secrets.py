"""What a cluster on real engines is entrusted with is in no log, trace, metric, readiness, record or report of it."""

import asyncio
import base64
import json
import secrets
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit

import asyncpg
import httpx2 as httpx
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from xget_kernel.keys import LocalKek
from xget_testing.byte_search import found_in
from xget_testing.engines import url_of
from xget_testing.node import XGET, Cluster, Sandbox, running_sandbox
from xget_testing.otlp import OtlpReceiver, otlp_receiver
from xget_testing.own_names import own_names
from xget_testing.people import Person
from xget_testing.planted import COVERS, PROVIDER, Planted
from xget_testing.waiting import eventually

ENGINES = ("postgres", "redis", "mongodb", "elasticsearch", "kafka")
pytestmark = [pytest.mark.slow, pytest.mark.connected(*ENGINES)]


@dataclass
class Run:
    """A cluster that has collected, and what it was told in confidence, by name."""

    cluster: Cluster
    traces: OtlpReceiver
    secrets: dict[str, str] = field(default_factory=dict)

    def found_in(self, text: bytes) -> list[str]:
        """Names of the secrets that the bytes hold, as they are or as a URL writes them."""
        return [n for n, one in self.secrets.items() if one.encode() in text or quote(one, safe="").encode() in text]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    folder = tmp_path_factory.mktemp("confidence")
    password = secrets.token_hex(12)
    with (
        otlp_receiver() as traces,
        running_sandbox(folder / "sandbox", "--posts", "600") as sandbox,
        own_names({name: url_of(name) for name in ENGINES}) as env,
    ):
        # Valkey takes any password of its default user, so that one is used in every connection.
        env["REDIS_URL"] = env["REDIS_URL"].replace("//", f"//:{password}@", 1)
        kek = base64.b64encode(secrets.token_bytes(32)).decode()
        more = {**traces.env, "XGET_TRACE_OPERATIONS": "1", "XGET_KEK": f"k1:{kek}"}
        more["XGET_PROXY_PROVIDER_HOSTS"] = PROVIDER
        cluster = Cluster(folder, sandbox, engines=env | more, open_mode=False, hatched=True)
        found = Run(cluster, traces, {"password of Redis": password, "KEK": kek})
        found.secrets["password of PostgreSQL"] = urlsplit(env["DATABASE_URL"]).password or ""
        try:
            cluster.start("--log-level", "debug")
            collect(found, sandbox)
            yield found
        finally:
            cluster.close()


def collect(run: Run, sandbox: Sandbox) -> None:
    """Bring an account and a proxy, collect, search, and make mistakes on the way."""
    person = Person(run.cluster.url, "alice", f"{secrets.token_hex(12)} of alice")
    planted = Planted()
    own = {name: secrets.token_hex(20) for name in ("auth_token", "ct0", "proxy password", "account password")}
    text = f"auth_token={own['auth_token']}; ct0={own['ct0']}"
    try:
        person.register()
        person.login()
        account = person.api("POST", "/accounts/import", json={"text": text, "username": "collector"})["lines"][0]
        person.api("PUT", f"/accounts/{account['account_id']}", json={"password": own["account password"]})
        proxy = sandbox.proxy.replace("//", f"//someone:{own['proxy password']}@")
        person.api("POST", "/proxies/import", json={"text": proxy})
        body = {"task_name": "hers", "task_type": "KEYWORD_SEARCH", "parameters": {"query": "AI", "limit": 30}}
        task = person.api("POST", "/tasks", json=body)["id"]
        assert person.settled(task)["status"] == "COMPLETED"
        eventually(lambda: person.api("GET", "/data/search?q=AI")["total"])
        for path, wrong in (("/auth/login", {"username": "alice", "password": own["ct0"]}), ("/accounts", own)):
            assert person.ask("POST", path, json=wrong).is_client_error
        assert person.http.get("/api/v1/tasks", headers={"Authorization": f"Bearer {person.access}x"}).is_client_error
        planted.plant(person)
    finally:
        person.close()
    assert own["auth_token"] in json.dumps(sandbox.log()), "the cookie was used"
    home = run.cluster.home
    assert not (home / "keys.json").exists(), "they lie in the tables, wrapped"
    keys = asyncio.run(data_keys(run.cluster.env["DATABASE_URL"], run.secrets["KEK"]))
    assert len(keys) >= 3
    run.secrets |= own | planted.secrets | {f"key {number}": key for number, key in enumerate(keys)}
    run.secrets |= {"password": person.password, "access token": person.access, "refresh token": person.refresh}
    run.secrets["token between services"] = (home / "internal.token").read_text().strip()
    assert all(len(one) > 10 for one in run.secrets.values())


async def data_keys(url: str, kek: str) -> list[str]:
    """The keys of all services, base64."""
    wrapping = LocalKek({"k1": base64.b64decode(kek)}, "the trial")
    connection = await asyncpg.connect(url)
    try:
        rows = [
            row
            for service in ("auth", "account", "proxy")
            for row in await connection.fetch(f"SELECT id, wrapped FROM {service}.data_keys")  # noqa: S608 - names of ours
        ]
        return [base64.b64encode(wrapping.unwrap(row["id"], row["wrapped"])).decode() for row in rows]
    finally:
        await connection.close()


def test_no_log_holds_a_secret(run: Run) -> None:
    logs = [*(run.cluster.home / "logs").iterdir(), run.cluster.folder / "cluster.log"]
    texts = {path.name: path.read_bytes() for path in logs}
    assert b"http_request" in b"".join(texts.values())
    assert {name: found for name, text in texts.items() if (found := run.found_in(text))} == {}


def test_no_trace_holds_a_secret(run: Run) -> None:
    eventually(lambda: {"x SearchTimeline", "collect page"} <= {span.name for span in run.traces.spans})
    eventually(lambda: any(b"INSERT INTO" in body for body in run.traces.bodies))  # each statement is traced here
    sent = b"".join(run.traces.bodies)
    assert run.found_in(sent) == []


def test_what_watchers_are_told_holds_no_secret(run: Run) -> None:
    for name, one in run.cluster.state().items():
        for place in ("metrics", "readyz", "healthz", "openapi.json"):
            answer = httpx.get(f"http://127.0.0.1:{one['port']}/{place}", timeout=60, trust_env=False)
            assert run.found_in(answer.content) == [], f"{name} {place}"


def test_no_record_of_any_topic_holds_a_secret(run: Run) -> None:
    found = asyncio.run(records(run.cluster.env["KAFKA_BOOTSTRAP_SERVERS"], run.cluster.env["KAFKA_PREFIX"]))
    prefix = run.cluster.env["KAFKA_PREFIX"]
    assert {f"{prefix}xget.{name}" for name in ("tasks", "pages", "results", "stored")} <= set(found)
    assert {topic: held for topic, text in found.items() if (held := run.found_in(text))} == {}


def test_no_cell_of_any_table_holds_a_secret(run: Run) -> None:
    found = asyncio.run(cells(run.cluster.env["DATABASE_URL"]))
    assert {f"{service}.data_keys" for service in ("auth", "account", "proxy")} <= found.keys()
    sealed = {place.split(".")[0] for place in COVERS}
    assert all(any(name.endswith(f".{table}") and text for name, text in found.items()) for table in sealed)
    assert {name: held for name, text in found.items() if (held := found_in(text, run.secrets))} == {}


async def cells(url: str) -> dict[str, bytes]:
    """All that lies in the tables of every schema of a database, as text; bytes as hex."""
    connection = await asyncpg.connect(url)
    try:
        query = "SELECT table_schema, table_name FROM information_schema.tables WHERE table_schema NOT IN ($1, $2)"
        places = await connection.fetch(query, "pg_catalog", "information_schema")
        found = {}
        for schema, table in places:
            rows = await connection.fetch(f'SELECT t::text FROM "{schema}"."{table}" t')  # noqa: S608 - as they are named there
            found[f"{schema}.{table}"] = "\n".join(row[0] for row in rows).encode()
        return found
    finally:
        await connection.close()


async def partitions(servers: str, topics: list[str]) -> dict[str, list[int]]:
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    try:
        await admin.start()
        found = await admin.describe_topics(topics)
        return {one["topic"]: [part["partition"] for part in one["partitions"]] for one in found}
    finally:
        await admin.close()


async def records(servers: str, prefix: str) -> dict[str, bytes]:
    """All that lies in the topics of a prefix: keys, headers and values."""
    found: dict[str, bytes] = {}
    async with AIOKafkaConsumer(bootstrap_servers=servers, enable_auto_commit=False) as consumer:
        topics = sorted(name for name in await consumer.topics() if name.startswith(prefix))
        for topic, numbers in (await partitions(servers, topics)).items():
            places = [TopicPartition(topic, number) for number in numbers]
            ends = await consumer.end_offsets(places)
            consumer.assign(places)
            await consumer.seek_to_beginning(*places)
            while any([await consumer.position(place) < ends[place] for place in places]):
                for batch in (await consumer.getmany(timeout_ms=500)).values():
                    parts = [part for one in batch for part in (one.key, one.value, *(v for _, v in one.headers))]
                    found[topic] = found.get(topic, b"") + b"\n".join(part for part in parts if part)
    return found


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_the_doctor_tells_no_secret(run: Run, options: tuple[str, ...]) -> None:
    env = {**run.cluster.env, "XGET_HOME": str(run.cluster.home), "XGET_URL": run.cluster.url, "COLUMNS": "100"}
    done = subprocess.run([XGET, "doctor", *options], env=env, capture_output=True, check=False, timeout=240)
    assert done.returncode in {0, 1}
    assert b"postgresql" in done.stdout
    assert run.found_in(done.stdout + done.stderr) == []


def test_the_folder_holds_no_secret_in_plain_text(run: Run) -> None:
    files: list[Path] = [p for p in run.cluster.home.rglob("*") if p.is_file() and p.name != "internal.token"]
    assert {path.name: found for path in files if (found := run.found_in(path.read_bytes()))} == {}
