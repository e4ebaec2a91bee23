import os
import stat
from pathlib import Path

import pytest
from pydantic_settings import SettingsConfigDict

from xget_kernel.errors import StartupError
from xget_kernel.secrets import Secret
from xget_kernel.settings import ServiceSettings, grpc_target


class Settings(ServiceSettings):
    default_port = 8003
    lease_seconds: int = 30


class OwnPrefix(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="XGET_PROXY_")
    port: int = 8005
    batch: int = 1


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch):
    for name in list(os.environ):
        if name.startswith("XGET_") or name.endswith(("_URL", "_TASKS")):
            monkeypatch.delenv(name)


def test_defaults_make_a_local_node_and_no_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = Settings()
    assert (settings.home, settings.host, settings.port, settings.grpc_port) == (Path(".xget"), "127.0.0.1", 8003, 9003)
    assert settings.sqlite_url("scraper") == "sqlite+aiosqlite:///.xget/scraper.db"
    assert settings.kafka_topic_tasks == "xget.tasks"
    assert list(tmp_path.iterdir()) == []


def test_the_environment_and_then_arguments_win(monkeypatch):
    monkeypatch.setenv("XGET_HOME", "/data")
    monkeypatch.setenv("XGET_OPEN", "1")
    monkeypatch.setenv("XGET_LEASE_SECONDS", "5")
    monkeypatch.setenv("ACCOUNT_SERVICE_URL", "http://accounts:80")
    monkeypatch.setenv("KAFKA_TOPIC_TASKS", "mine")
    settings = Settings(port=9100)
    assert settings.open_mode
    assert settings.lease_seconds == 5
    assert settings.grpc_port == 10100
    assert settings.kafka_topic_tasks == "mine"
    assert settings.grpc_target(settings.account_service_url) == "accounts:1080"
    assert Settings(home=Path("here")).home == Path("here")


def test_variables_of_the_shell_are_not_ours(monkeypatch):
    monkeypatch.setenv("HOME", "/shell")
    monkeypatch.setenv("HOST", "example")
    monkeypatch.setenv("PORT", "1")
    assert Settings().home == Path(".xget")
    assert Settings().port == 8003


def test_an_empty_variable_counts_as_unset(monkeypatch):
    monkeypatch.setenv("XGET_PORT", "")
    monkeypatch.setenv("DATABASE_URL", "")
    assert Settings().port == 8003
    assert Settings().database_url is None


def test_a_wrong_value_names_the_variable(monkeypatch):
    monkeypatch.setenv("XGET_PORT", "http")
    with pytest.raises(StartupError, match="The setting XGET_PORT is wrong"):
        Settings()


def test_a_wrong_value_of_a_services_own_field_names_the_variable_too(monkeypatch):
    class Own(ServiceSettings):
        poll_seconds: float = 1.0

    monkeypatch.setenv("XGET_POLL_SECONDS", "often")
    with pytest.raises(StartupError, match="The setting XGET_POLL_SECONDS is wrong"):
        Own()


def test_a_misspelt_argument_is_refused():
    with pytest.raises(StartupError, match="lease_second"):
        Settings(lease_second=3)


def test_port_0_takes_free_ports():
    assert (Settings(port=0).port, Settings(port=0).grpc_port) == (0, 0)


def test_a_service_may_have_its_own_prefix(monkeypatch):
    monkeypatch.setenv("XGET_PROXY_BATCH", "7")
    monkeypatch.setenv("XGET_HOME", "/data")
    settings = OwnPrefix()
    assert (settings.port, settings.grpc_port, settings.batch, settings.home) == (8005, 9005, 7, Path("/data"))


def test_a_prefix_that_would_read_the_shell_is_refused():
    with pytest.raises(TypeError, match="must start with XGET_"):

        class Wrong(ServiceSettings):
            model_config = SettingsConfigDict(env_prefix="")


def test_the_internal_token_is_made_once_and_kept_private(tmp_path):
    first = Settings(home=tmp_path / "home").internal_token
    assert first == Settings(home=tmp_path / "home").internal_token
    assert len(first.reveal()) >= 43
    assert stat.S_IMODE((tmp_path / "home" / "internal.token").stat().st_mode) == 0o600


def test_a_given_internal_token_makes_no_file(tmp_path, monkeypatch):
    assert Settings(home=tmp_path, internal_token=Secret("t")).internal_token == Secret("t")
    assert Settings(home=tmp_path, internal_token="t").internal_token == Secret("t")
    monkeypatch.setenv("XGET_INTERNAL_TOKEN", "e")
    assert Settings(home=tmp_path).internal_token == Secret("e")
    assert "'t'" not in repr(Settings(home=tmp_path, internal_token="t"))
    assert list(tmp_path.iterdir()) == []


def test_an_empty_token_file_says_what_to_do(tmp_path):
    (tmp_path / "internal.token").touch()
    with pytest.raises(StartupError, match="delete it"):
        _ = Settings(home=tmp_path).internal_token


@pytest.mark.parametrize(
    ("url", "target"),
    [("http://127.0.0.1:8004", "127.0.0.1:9004"), ("http://[::1]:8004/", "[::1]:9004"), ("https://a.b:1", "a.b:1001")],
)
def test_the_grpc_server_is_a_thousand_ports_up(url, target):
    assert grpc_target(url) == target


@pytest.mark.parametrize("url", ["", "localhost", "http://host", "http://host:x", "http://:80", "http://h:99999"])
def test_a_url_without_host_or_port_is_a_startup_error(url):
    with pytest.raises(StartupError, match="http://127"):
        grpc_target(url)
