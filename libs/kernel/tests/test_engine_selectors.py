"""One selector per concern; credentials never show."""

import os
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from xget_kernel.engines import EngineSettings, masked
from xget_kernel.errors import StartupError


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch):
    for name in list(os.environ):
        if name.startswith(("XGET_", "POSTGRES_", "KAFKA_", "REDIS_", "MONGODB_", "ELASTICSEARCH_", "DATABASE_")):
            monkeypatch.delenv(name)


def test_nothing_set_means_embedded():
    settings = EngineSettings(home=Path("h"))
    assert settings.tables("auth") == "sqlite+aiosqlite:///h/auth.db"
    assert [settings.engine_of(c) for c in ("tables", "documents", "search", "events", "cache")] == [
        *["sqlite"] * 4,
        "memory",
    ]


def test_the_parts_of_postgresql_make_a_url_for_each_service(monkeypatch):
    monkeypatch.setenv("POSTGRES_SERVER", "db.example:6543")
    monkeypatch.setenv("POSTGRES_USER", "u@x")
    monkeypatch.setenv("POSTGRES_PASSWORD", "p:/@%")
    url = make_url(EngineSettings().tables("scraper"))
    assert (url.drivername, url.host, url.port, url.database) == ("postgresql+asyncpg", "db.example", 6543, "xget")
    assert (url.username, url.password, url.query["search_path"]) == ("u@x", "p:/@%", "scraper")


def test_a_host_without_a_port_takes_the_usual_one():
    assert make_url(EngineSettings(postgres_server="db").tables("auth")).port == 5432
    assert make_url(EngineSettings(postgres_server="[::1]:7", postgres_password="x").tables("auth")).port == 7


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+asyncpg", "postgresql+psycopg"])
def test_a_database_url_of_postgresql_wins(scheme):
    url = f"{scheme}://u:p@h:1/d?ssl=require"
    settings = EngineSettings(postgres_server="other", database_url=url)
    assert settings.tables("auth") == "postgresql+asyncpg://u:p@h:1/d?ssl=require&search_path=auth"
    assert settings.engine_of("tables") == "postgresql"


@pytest.mark.parametrize("url", ["mysql://u:hunter2@h/d", "postgresql://u:hunter2@/d", "postgresql://u:hunter2@h:x/d"])
def test_another_database_is_refused_without_showing_the_url(url):
    with pytest.raises(StartupError, match="DATABASE_URL") as caught:
        EngineSettings(database_url=url).tables("auth")
    assert "hunter2" not in str(caught.value)


def test_no_credential_shows_in_a_representation(monkeypatch):
    for name in ("MONGODB_URL", "ELASTICSEARCH_URL", "REDIS_URL", "DATABASE_URL"):
        monkeypatch.setenv(name, "scheme://u:hunter2@h:1/d")
    monkeypatch.setenv("POSTGRES_PASSWORD", "hunter2")
    monkeypatch.setenv("KAFKA_SASL_PASSWORD", "hunter2")
    assert "hunter2" not in repr(EngineSettings())
    assert "hunter2" not in EngineSettings().model_dump_json()


def test_replicas_need_real_engines():
    EngineSettings(replicas=1).refuse_lies()
    EngineSettings(replicas=2, mongodb_url="mongodb://h").refuse_lies(("documents",))
    with pytest.raises(StartupError, match=r"the search are|search .* set ELASTICSEARCH_URL"):
        EngineSettings(replicas=2, mongodb_url="mongodb://h").refuse_lies(("documents", "search"))


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://u:p@h:1/d", "postgresql://********@h:1/d"),
        ("redis://:p@h/0", "redis://********@h/0"),
        ("http://h:9200", "http://h:9200"),
        ("http://u:p@a:1,http://u:p@b:2", "http://********@a:1,http://********@b:2"),
        ("mongodb://h/d?password=x&tls=true", "mongodb://h/d?password=********&tls=true"),
        ("u:hunter2@h", "********"),
        ("http://[oops:hunter2@h", "********"),
    ],
)
def test_urls_are_shown_without_credentials(url, shown):
    assert masked(url) == shown


@pytest.mark.parametrize(
    "server", ["a b", "http://h", "u:hunter2@h", ",", "h:99999", "h:0", "h:abc", "h:1/d", "h1:1,h2:2", "[::1", "::1:x"]
)
def test_what_is_no_host_of_postgresql_is_refused_by_the_name_that_was_set(server):
    with pytest.raises(StartupError, match="POSTGRES_SERVER") as caught:
        EngineSettings(postgres_server=server).tables("auth")
    assert "hunter2" not in str(caught.value)


def test_a_bare_address_of_version_6_is_a_host():
    assert make_url(EngineSettings(postgres_server="::1").tables("auth")).port == 5432


def test_servers_of_kafka_are_listed_with_their_ports():
    assert EngineSettings().kafka_servers() == []
    assert EngineSettings(kafka_bootstrap_servers=" a:1, b ,[::1]:2,").kafka_servers() == ["a:1", "b:9092", "[::1]:2"]


@pytest.mark.parametrize("servers", [",", "h:port", "h:99999", "kafka://h:1", "u:hunter2@h:1", "a:1,b:x"])
def test_what_is_no_server_of_kafka_is_refused(servers):
    with pytest.raises(StartupError, match="KAFKA_BOOTSTRAP_SERVERS") as caught:
        EngineSettings(kafka_bootstrap_servers=servers).kafka_servers()
    assert "hunter2" not in str(caught.value)
