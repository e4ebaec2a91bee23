"""The command line itself: help, errors in one line, names of commands."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

XGET = str(Path(sys.executable).with_name("xget"))


def xget(*command: str, **env: str) -> subprocess.CompletedProcess[str]:
    path = {"PATH": "/usr/bin:/bin", "HOME": env.pop("HOME", "/nonexistent"), "COLUMNS": "100"}
    return subprocess.run([XGET, *command], capture_output=True, text=True, env={**path, **env}, check=False)


@pytest.mark.parametrize(
    "command",
    [
        (),
        ("up",),
        ("serve",),
        ("worker",),
        ("cluster",),
        ("doctor",),
        ("sandbox",),
        ("login",),
        ("accounts", "import"),
        ("proxies", "import"),
        ("tasks", "create", "keyword-search"),
        ("tasks", "results"),
        ("tasks", "gaps"),
        ("tasks", "targets"),
        ("tasks", "backfill"),
        ("search",),
        ("export",),
        ("quarantine", "list"),
        ("parsers", "thaw"),
        ("parsers", "drift"),
        ("authors", "forget"),
        ("authors", "forgotten"),
        ("authors", "allow"),
        ("data", "history"),
        ("data", "raw"),
        ("gateway", "render"),
        ("events", "dlq"),
        ("events", "replay"),
    ],
)
def test_every_command_has_help(command: tuple[str, ...]) -> None:
    result = xget(*command, "--help")
    assert (result.returncode, result.stderr) == (0, "")
    assert "Usage: xget" in result.stdout


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (("nonsense",), "nonsense"),
        (("tasks", "create", "keyword-search"), "query"),
        (("tasks", "list", "--page", "x"), "page"),
        (("search", "x", "--url", "http://127.0.0.1:9"), "xget up"),
        (("search", "x", "--url", "ftp://somewhere"), "http://host:port"),
        (("accounts", "import", "/nonexistent/file"), "cannot be read"),
        (("up", "--host", "0.0.0.0", "--open"), "loopback"),
        (("up", "--port-base", "70000"), "port-base"),
        (("login",), "xget login NAME"),
        (("serve", "nothing"), "auth, account, proxy"),
        (("serve", "auth", "--host", "0.0.0.0", "--open"), "loopback"),
        (("serve", "auth", "--port", "65000"), "--port"),
        (("worker", "auth"), "proxy, scraper, processing or storage"),
        (("cluster", "--replicas", "auth=2"), "--replicas"),
        (("authors", "forget", "x:1"), "--yes"),
        (("authors", "forget", "a/b", "--yes"), "@name"),
    ],
)
def test_an_error_is_one_line_with_the_fix_and_exit_code_2(command: tuple[str, ...], says: str, tmp_path: Path) -> None:
    result = xget(*command, HOME=str(tmp_path), XGET_URL="http://127.0.0.1:9")
    assert result.returncode == 2
    assert len(result.stderr.strip().splitlines()) == 1
    assert says in result.stderr


@pytest.mark.parametrize(
    ("engine", "value"),
    [
        ("POSTGRES_SERVER", "127.0.0.1:1"),
        ("REDIS_URL", "somewhere"),
        ("MONGODB_URL", "somewhere"),
        ("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1"),
        ("ELASTICSEARCH_URL", "somewhere"),
    ],
)
def test_an_engine_that_cannot_be_reached_is_named(engine: str, value: str, tmp_path: Path) -> None:
    result = xget("up", "--home", str(tmp_path / "home"), **{engine: value})
    assert result.returncode == 2
    assert engine in result.stderr


def test_a_file_that_is_not_utf8_names_the_byte(tmp_path: Path) -> None:
    file = tmp_path / "proxies.txt"
    file.write_bytes(b"10.1.1.1:\xff")
    result = xget("proxies", "import", str(file), XGET_URL="http://127.0.0.1:9")
    assert (result.returncode, "byte 9" in result.stderr) == (2, True)


def test_errors_are_json_with_json() -> None:
    result = xget("tasks", "list", "--json", XGET_URL="http://127.0.0.1:9")
    assert result.returncode == 2
    assert '"error"' in result.stdout
