"""A start that cannot be is refused on one line with the fix; a stop drains; a full disk loses nothing."""

import json
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from xget_cli.main import main
from xget_standalone.gateway.config import default_path
from xget_testing.node import XGET, clean_env, forked, free_base, running_node
from xget_testing.waiting import promised

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:Cyclopts application invoked without tokens"),  # sys.argv is what we mean
]
STARTED = 180


@pytest.fixture(scope="module")
def used_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that a node has filled and left."""
    with running_node(tmp_path_factory.mktemp("used")) as node:
        node.api("POST", "/data", json={"text": "kept"})
    return node.home


@pytest.fixture
def home(used_home: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(used_home, tmp_path / "home"))


def refused(home: Path, *options: str, base: int | None = None, **env: str) -> str:
    """The one line of a start that must not succeed."""
    command = [XGET, "up", "--home", str(home), "--port-base", str(base or free_base()), *options]
    with TemporaryDirectory() as folder:  # the home's own disk may be full
        log = Path(folder) / "log"
        child = forked(command, Path(folder), {**clean_env(), **env}, log)
        assert child.stdout is not None
        with child.stdout:
            code, out = child.wait(STARTED), child.stdout.read()
        said = log.read_text("utf-8")
    assert code == 2, said[-2000:]
    assert out == ""
    assert said.count("\n") == 1, said[-2000:]
    assert said.startswith("xget: ")
    return said


Early = Callable[..., str]


@pytest.fixture
def refused_early(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Early:
    """Like `refused`, in this process: for what is noticed before anything has begun."""

    def run(home: Path, **env: str) -> str:
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["xget", "up", "--home", str(home), "--port-base", str(free_base())])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        assert (ended.value.code, said.out, said.err.count("\n")) == (2, "", 1), said
        assert said.err.startswith("xget: ")
        return said.err

    return run


def spoilt_kong(tmp_path: Path, change: Callable[[str], str]) -> dict[str, str]:
    path = tmp_path / "kong.yml"
    path.write_text(change(default_path().read_text("utf-8")), "utf-8")
    return {"XGET_KONG_CONFIG": str(path)}


KONG: dict[str, tuple[Callable[[str], str], tuple[str, ...]]] = {
    "no YAML": (lambda text: text.replace("services:", "services: [", 1), ("kong.yml", "not YAML", "line")),
    "another plugin": (lambda text: text.replace("name: jwt", "name: ai-proxy"), ("ai-proxy", "Take it out")),
    "another field": (lambda text: text.replace("strip_path: false", "hosts: [a.example]", 1), ("hosts",)),
}


@pytest.mark.parametrize("kind", KONG)
def test_a_gateway_that_cannot_be_as_declared_is_refused(refused_early: Early, tmp_path: Path, kind: str) -> None:
    change, words = KONG[kind]
    said = refused_early(tmp_path / "home", **spoilt_kong(tmp_path, change))
    assert all(word in said for word in words), said
    assert not (tmp_path / "home").exists()


def newer_format(home: Path) -> None:
    (home / "home.json").write_text(json.dumps({"format": 99}))


def damaged_marker(home: Path) -> None:
    (home / "home.json").write_text("{")


def newer_tables(home: Path) -> None:
    with closing(sqlite3.connect(home / "scraper.db")) as rows, rows:
        rows.execute("UPDATE xget_scraper_version SET version_num = '9999_from_the_future'")


def newer_log(home: Path) -> None:
    with closing(sqlite3.connect(home / "events.db")) as rows, rows:
        rows.execute("PRAGMA user_version = 99")


def newer_documents(home: Path) -> None:
    with closing(sqlite3.connect(home / "documents.db")) as rows, rows:
        rows.execute("PRAGMA user_version = 99")


def no_database(home: Path) -> None:
    for path in home.glob("account.db*"):
        path.unlink()
    (home / "account.db").write_bytes(b"this is not a database at all " * 400)


def no_log(home: Path) -> None:
    for path in home.glob("events.db*"):
        path.unlink()
    (home / "events.db").write_bytes(b"this is not a database at all " * 400)


def other_keys(home: Path) -> None:
    (home / "keys.json").unlink()


def empty_token(home: Path) -> None:
    (home / "internal.token").write_text("")


EARLY = (newer_format, damaged_marker, newer_log, no_log)
HOMES: dict[Callable[[Path], None], tuple[str, ...]] = {
    newer_format: ("newer XGet", "format 99"),
    damaged_marker: ("home.json", "damaged"),
    newer_tables: ("newer", "scraper"),
    newer_log: ("events.db", "newer"),
    newer_documents: ("documents.db", "newer"),
    no_database: ("account.db",),
    no_log: ("events.db",),
    other_keys: ("keys.json",),
    empty_token: ("internal.token",),
}


@pytest.mark.parametrize("spoil", HOMES, ids=lambda spoil: spoil.__name__)
def test_a_home_that_does_not_fit_is_refused_and_left_alone(
    refused_early: Early, home: Path, spoil: Callable[[Path], None]
) -> None:
    spoil(home)
    before = {path.name: path.read_bytes() for path in home.glob("*.json")}
    said = refused_early(home) if spoil in EARLY else refused(home)
    assert all(word in said for word in HOMES[spoil]), said
    assert {path.name: path.read_bytes() for path in home.glob("*.json") if path.name in before} == before


def test_a_home_that_cannot_be_made_or_written_is_refused(refused_early: Early, tmp_path: Path) -> None:
    (tmp_path / "a-file").write_text("")
    for place in (tmp_path / "a-file", tmp_path / "a-file" / "below"):
        assert "choose another with --home" in refused_early(place)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("POSTGRES_SERVER", "127.0.0.1:1", ("POSTGRES_SERVER", "127.0.0.1:1")),
        ("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1", ("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")),
        ("XGET_REGISTRATION", "perhaps", ("XGET_REGISTRATION",)),
        ("XGET_SCRAPER_CONCURRENCY", "0", ("XGET_SCRAPER_CONCURRENCY",)),
        ("SSL_CERT_FILE", "not-there.pem", ("SSL_CERT_FILE",)),
    ],
)
def test_a_setting_that_cannot_be_is_named(
    refused_early: Early, tmp_path: Path, name: str, value: str, words: tuple[str, ...]
) -> None:
    said = refused_early(tmp_path / "home", **{name: value})
    assert all(word in said for word in words), said


@pytest.mark.parametrize("offset", [0, 1004])
def test_a_port_in_use_is_named(tmp_path: Path, offset: int) -> None:
    base = free_base()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", base + offset))
        taken.listen()
        said = refused(tmp_path / "home", base=base)
    assert str(base + offset) in said
    assert "--port-base" in said


def test_a_second_process_on_the_same_home_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    with running_node(tmp_path) as node:
        process = node.process
        assert process is not None
        said = refused(node.home)
        assert "Another xget runs on" in said
        assert f"(pid {process.child.pid})" in said
        assert node.api("GET", "/tasks")["total"] == 0
        process.child.send_signal(signal.SIGINT)
        assert process.wait(promised(10)) == 0
    assert "Traceback" not in (tmp_path / "node.log").read_text()


def test_a_full_disk_refuses_the_start(tmp_path: Path, small_disk: Path) -> None:
    fill(small_disk)
    said = refused(small_disk / "home")
    assert "space" in said or "cannot be used" in said, said


def fill(folder: Path) -> Path:
    """Take all the room of a disk; the file that holds it."""
    path = folder / "filler"
    with path.open("wb", buffering=0) as file:
        for size in (1 << 20, 4096):
            try:
                while file.write(b"\0" * size):
                    pass
            except OSError:
                continue
    return path


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", str(place)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this user may not mount a small disk")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)
