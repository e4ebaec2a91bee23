"""What cannot work with an engine is said once, at the start: which setting, where, and how to mend it; no secret.

An engine of search that does not answer keeps nothing from starting: test_start_without_search.py.
"""

import asyncio
import secrets
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from urllib.parse import urlsplit

import asyncpg
import httpx2 as httpx
import pytest

from xget_testing import strangers
from xget_testing.engines import url_of
from xget_testing.many_starts import Outcome, Run, outcomes
from xget_testing.node import free_base
from xget_testing.own_names import own_names
from xget_testing.waiting import promised

ENGINES = ("postgres", "redis", "mongodb", "elasticsearch", "kafka")
pytestmark = [pytest.mark.slow, pytest.mark.connected(*ENGINES)]
HIDDEN = "hidden-word"
LONGEST = 20.0
"""Seconds: 13 for the most patient engine, the rest for two processors that start eight of these at once."""
NOBODY = "127.0.0.1:1"


@dataclass(frozen=True)
class Edge:
    """What is started with which settings, and what it has to say; `{web}` stands for that stranger's port."""

    command: str
    env: dict[str, str]
    says: tuple[str, ...]


def at(setting: str, value: str, *says: str, command: str = "up", **more: str) -> Edge:
    return Edge(command, {setting: value, **more}, (setting, *says))


def on(service: str, setting: str, value: str, *says: str, **more: str) -> Edge:
    return at(setting, value, *says, command=service, **more)


STORAGE, SCRAPER, AUTH = "serve storage", "worker scraper", "serve auth"
USER = f"someone:{HIDDEN}"
EDGES = {
    # Wrong credentials.
    "postgresql: password": on(AUTH, "POSTGRES_SERVER", "{postgres}", "POSTGRES_PASSWORD", POSTGRES_PASSWORD=HIDDEN),
    "postgresql: database": on(AUTH, "DATABASE_URL", "postgresql://{login}@{postgres}/nowhere", "POSTGRES_DB"),
    "redis: no password": on("serve gateway", "REDIS_URL", "redis://{guarded}/0", "credentials", "{guarded}"),
    "redis: wrong password": at("REDIS_URL", f"redis://{USER}@{{guarded}}/0", "credentials", "********@{guarded}"),
    "mongodb: password": on(STORAGE, "MONGODB_URL", f"mongodb://{USER}@{{mongodb_without_login}}/x", "login"),
    "mongodb: a login that the stand-in has not": on(
        STORAGE, "MONGODB_URL", f"mongodb://{USER}@{{mongodb}}/x", "login"
    ),
    "elasticsearch: password": on(
        STORAGE, "ELASTICSEARCH_URL", f"http://{USER}@{{elasticsearch_without_login}}", "cred"
    ),
    "elasticsearch: rights": on(
        STORAGE, "ELASTICSEARCH_URL", f"http://{USER}@{{elasticsearch_without_rights}}", "lacks rights"
    ),
    "kafka: a login that it has not": Edge(
        SCRAPER,
        {
            "KAFKA_BOOTSTRAP_SERVERS": "{kafka}",
            "KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
            "KAFKA_SASL_USERNAME": "someone",
            "KAFKA_SASL_PASSWORD": HIDDEN,
        },
        ("{kafka}", "KAFKA_SECURITY_PROTOCOL", "KAFKA_SASL_USERNAME", "KAFKA_SASL_PASSWORD"),
    ),
    "kafka: TLS to one without": on(
        SCRAPER, "KAFKA_BOOTSTRAP_SERVERS", "{kafka}", "KAFKA_SECURITY_PROTOCOL (SSL)", KAFKA_SECURITY_PROTOCOL="SSL"
    ),
    # Nobody there.
    "postgresql: nobody": on(AUTH, "POSTGRES_SERVER", NOBODY, "does not answer", NOBODY, POSTGRES_PASSWORD=HIDDEN),
    "mongodb: nobody": on("worker storage", "MONGODB_URL", f"mongodb://{USER}@{NOBODY}/x", "does not answer", NOBODY),
    "redis: nobody": on("serve gateway", "REDIS_URL", f"redis://{USER}@{NOBODY}/0", "does not answer", NOBODY),
    "kafka: nobody": on(SCRAPER, "KAFKA_BOOTSTRAP_SERVERS", NOBODY, "does not answer", NOBODY),
    "kafka: no such name": on(SCRAPER, "KAFKA_BOOTSTRAP_SERVERS", "no.such.host.invalid", "does not answer"),
    # Somebody else there.
    **{
        f"postgresql: {kind}": on(AUTH, "POSTGRES_SERVER", f"{{{kind}}}", "does not answer", POSTGRES_PASSWORD=HIDDEN)
        for kind in ("web_server", "silent_server", "mail_server")
    },
    **{
        f"mongodb: {kind}": on(STORAGE, "MONGODB_URL", f"mongodb://{USER}@{{{kind}}}/x", "does not answer")
        for kind in ("web_server", "silent_server", "mail_server")
    },
    **{
        f"redis: {kind}": on("serve gateway", "REDIS_URL", f"redis://{USER}@{{{kind}}}/0", "does not answer")
        for kind in ("web_server", "silent_server")
    },
    **{
        f"kafka: {kind}": on(SCRAPER, "KAFKA_BOOTSTRAP_SERVERS", f"{{{kind}}}", "does not answer")
        for kind in ("web_server", "silent_server", "mail_server")
    },
    "elasticsearch: web_server": on(
        STORAGE, "ELASTICSEARCH_URL", f"http://{USER}@{{web_server}}", "is not Elasticsearch"
    ),
    "elasticsearch: version 8": on(
        STORAGE, "ELASTICSEARCH_URL", f"http://{USER}@{{elasticsearch_8}}", "client 9 needs server 9"
    ),
    # Not to be understood.
    "POSTGRES_PORT": at("POSTGRES_PORT", "abc", "integer"),
    "POSTGRES_SERVER": at("POSTGRES_SERVER", f"{USER}@h", "localhost:5432"),
    "DATABASE_URL: another kind": on(AUTH, "DATABASE_URL", f"mysql://{USER}@h/x", "neither"),
    "DATABASE_URL: one file for all": at("DATABASE_URL", "sqlite:///x.db", "one SQLite file"),
    "DATABASE_URL: option": on(AUTH, "DATABASE_URL", f"postgresql://{USER}@{{postgres}}/x?sslmode=perhaps", "sslmode"),
    "KAFKA_SECURITY_PROTOCOL": at("KAFKA_SECURITY_PROTOCOL", "foo", "SASL_SSL"),
    "KAFKA_BOOTSTRAP_SERVERS": at("KAFKA_BOOTSTRAP_SERVERS", ",", "localhost:9092"),
    "KAFKA_BOOTSTRAP_SERVERS: a URL": on(SCRAPER, "KAFKA_BOOTSTRAP_SERVERS", f"kafka://{USER}@h:1", "localhost:9092"),
    "KAFKA_REPLICATION": on(
        SCRAPER, "KAFKA_REPLICATION", "3", KAFKA_BOOTSTRAP_SERVERS="{kafka}", KAFKA_PREFIX="{own}."
    ),
    "KAFKA_PREFIX": at("KAFKA_PREFIX", "a b/"),
    "MONGODB_URL": on(STORAGE, "MONGODB_URL", f"http://{USER}@h", "mongodb://user:password@"),
    "MONGODB_URL: unknown option": on(STORAGE, "MONGODB_URL", f"mongodb://{USER}@h/?nosuch=1", "nosuch"),
    "MONGODB_DB": on(STORAGE, "MONGODB_DB", "a.b c$", MONGODB_URL="mongodb://{mongodb}"),
    "ELASTICSEARCH_URL": on(STORAGE, "ELASTICSEARCH_URL", f"ftp://{USER}@h:1", "http://user:password@"),
    "ELASTICSEARCH_INDEX": on(STORAGE, "ELASTICSEARCH_INDEX", "BAD Name*"),
    "REDIS_URL": at("REDIS_URL", f"redis://{USER}@h:1/name", "redis://user:password@"),
    "REDIS_URL: unknown option": on("serve gateway", "REDIS_URL", f"redis://{USER}@h:1/0?nosuch=1", "no URL of Redis"),
    # Made by others.
    "tables of a newer release": Edge(AUTH, {"DATABASE_URL": "{newer}"}, ("newer", "xget_auth", "backup")),
    "an index of somebody else": Edge(
        STORAGE,
        {"ELASTICSEARCH_URL": "http://{elasticsearch}", "ELASTICSEARCH_INDEX": "{taken}"},
        ("{taken}-theirs", "ELASTICSEARCH_INDEX"),
    ),
    "a disk that is read-only": Edge(AUTH, {"XGET_HOME": "/proc/xget"}, ("/proc/xget", "--home")),
    # More than one of what is only here.
    "replicas of a node": at("XGET_REPLICAS", "2", "POSTGRES_SERVER"),
    "replicas of a service": on(STORAGE, "XGET_REPLICAS", "2", "MONGODB_URL"),
    "replicas of a worker": on(SCRAPER, "XGET_REPLICAS", "2", "POSTGRES_SERVER"),
}
STRANGERS = (
    "web_server",
    "silent_server",
    "mail_server",
    "mongodb_without_login",
    "elasticsearch_without_login",
    "elasticsearch_without_rights",
    "elasticsearch_8",
)


@pytest.fixture(scope="module")
def taken() -> Iterator[dict[str, str]]:
    """Names on which others have put something: a newer release its tables, a stranger an index."""
    with own_names({name: url_of(name) for name in ("postgres", "elasticsearch")}) as env:
        asyncio.run(put_newer_tables(env["DATABASE_URL"]))
        index = env["ELASTICSEARCH_INDEX"]
        body = {
            "mappings": {"properties": {"terms": {"type": "keyword"}}},
            "aliases": {f"{index}-items": {}},
        }
        httpx.put(f"{url_of('elasticsearch')}/{index}-theirs", json=body, timeout=30).raise_for_status()
        yield {"newer": env["DATABASE_URL"], "taken": index}


async def put_newer_tables(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE SCHEMA auth; CREATE TABLE auth.xget_auth_version (version_num varchar(32))")
    await connection.execute("INSERT INTO auth.xget_auth_version VALUES ('9999_from_the_future')")
    await connection.close()


@pytest.fixture(scope="module")
def places(guarded: str, taken: dict[str, str]) -> Iterator[dict[str, str]]:
    """Where engines and strangers are, by name, as host:port."""
    with ExitStack() as stack:
        found = {n: f"127.0.0.1:{stack.enter_context(strangers.stranger(getattr(strangers, n)))}" for n in STRANGERS}
        found |= {name: urlsplit(url_of(name)).netloc.rpartition("@")[2] or url_of(name) for name in ENGINES}
        found |= {"guarded": guarded, **taken, "own": f"t{secrets.token_hex(6)}"}
        yield found | {"login": urlsplit(url_of("postgres")).netloc.rpartition("@")[0]}


@pytest.fixture(scope="module")
def guarded() -> Iterator[str]:
    """A Redis that asks for a password."""
    with strangers.guarded_redis() as place:
        yield place


@pytest.fixture(scope="module")
def ended(places: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """How each start ended; they run side by side."""
    runs, base = {}, free_base()
    for name, edge in EDGES.items():
        options = ["--port-base", str(base)] if edge.command == "up" else ["--port", "0"]
        options += [] if "XGET_HOME" in edge.env else ["--home", "home"]
        env = {setting: value.format(**places) for setting, value in edge.env.items()}
        runs[name] = Run([*edge.command.split(), *options], {"XGET_WORKER_PORT": "0", **env})
    return outcomes(runs, tmp_path_factory.mktemp("edges"), at_once=12)


@pytest.mark.parametrize("name", EDGES)
def test_what_cannot_work_is_told_on_one_line(ended: dict[str, Outcome], places: dict[str, str], name: str) -> None:
    outcome = ended[name]
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1), outcome
    assert outcome.err.startswith("xget: ")
    assert HIDDEN not in outcome.err
    assert "Traceback" not in outcome.err
    for word in EDGES[name].says:
        assert word.format(**places) in outcome.err
    assert outcome.seconds < promised(LONGEST), outcome
