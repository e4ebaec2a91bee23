"""What a migration cannot begin with, each in one sentence; no engine has to be there."""

import asyncio
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from xget_kernel.errors import StartupError, XGetError
from xget_standalone.home import Home
from xget_standalone.migration.run import Options, migrate
from xget_testing.node import clean_env
from xget_testing.single_home import SingleHome

pytestmark = [pytest.mark.slow, pytest.mark.mongodb_away]
NOWHERE = "postgresql://someone:s3cret@127.0.0.1:1/xget"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    asyncio.run(SingleHome(tmp_path / "node", rows=3, pages=2).write())
    return tmp_path / "node"


@pytest.fixture(autouse=True)
def no_engines(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "DATABASE_URL",
        "POSTGRES_SERVER",
        "MONGODB_URL",
        "ELASTICSEARCH_URL",
        "KAFKA_BOOTSTRAP_SERVERS",
        "REDIS_URL",
    ):
        monkeypatch.delenv(name, raising=False)


def refused(source: Path, **options: Path) -> str:
    given = {"home": source.parent / "target", **options}
    with pytest.raises((StartupError, XGetError)) as caught:
        asyncio.run(migrate(Options(source=source, **given), lambda *_: None))
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert "s3cret" not in sentence
    assert sentence.endswith(".")
    return sentence


def test_no_folder(tmp_path: Path) -> None:
    assert "There is no folder" in refused(tmp_path / "nothing")


def test_a_folder_that_is_no_home(tmp_path: Path) -> None:
    assert "is no home of XGet" in refused(tmp_path)
    assert list(tmp_path.iterdir()) == [], "nothing is made in it"


def test_no_real_engine(home: Path) -> None:
    assert "set POSTGRES_SERVER, MONGODB_URL, ELASTICSEARCH_URL or KAFKA_BOOTSTRAP_SERVERS" in refused(home)


def test_a_newer_folder(home: Path) -> None:
    (home / "home.json").write_text('{"format": 99}')
    assert "newer XGet (format 99" in refused(home)


def test_a_node_that_runs_on_it_is_told_with_its_pid(home: Path) -> None:
    hold = (
        "import time; from pathlib import Path; from xget_standalone.home import Home\n"
        f"with Home(Path({str(home)!r})): print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", hold], stdout=subprocess.PIPE, text=True, env=clean_env()) as other:
        assert other.stdout is not None
        assert other.stdout.readline()
        assert f"pid {other.pid}" in refused(home)
        other.kill()


def _older_tables(home: Path) -> str:
    with closing(sqlite3.connect(home / "auth.db")) as rows, rows:
        rows.execute("UPDATE xget_auth_version SET version_num = '0000'")
    return "The tables of auth in .* have version 0000"


def _newer_documents(home: Path) -> str:
    with closing(sqlite3.connect(home / "documents.db")) as rows:
        rows.execute("PRAGMA user_version = 99")
    return "documents.db of the source has layout 99"


def _no_database(home: Path) -> str:
    (home / "scraper.db").write_bytes(b"this is no database" * 100)
    return "scraper.db cannot be read"


@pytest.mark.parametrize("spoil", [_older_tables, _newer_documents, _no_database])
def test_files_that_cannot_be_read(home: Path, spoil: Callable[[Path], str], monkeypatch: pytest.MonkeyPatch) -> None:
    pattern = spoil(home)
    monkeypatch.setenv("MONGODB_URL", "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=100")
    said = refused(home)
    assert re.search(pattern, said), said


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("DATABASE_URL", NOWHERE, "correct POSTGRES_SERVER"),
        ("DATABASE_URL", "mysql://x", "DATABASE_URL names neither"),
        ("MONGODB_URL", "mongodb://someone:s3cret@127.0.0.1:1/?serverSelectionTimeoutMS=100", "MongoDB at"),
        ("MONGODB_URL", "no url", "correct MONGODB_URL"),
        ("ELASTICSEARCH_URL", "no url", "ELASTICSEARCH_URL"),
        ("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1", "KAFKA_BOOTSTRAP_SERVERS"),
    ],
)
def test_engines_that_do_not_answer(
    home: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str
) -> None:
    monkeypatch.setenv(name, value)
    assert words in refused(home)
    assert not list(home.glob("migration-*")), "nothing has begun"


def test_settings_of_a_file_stand_alone(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", NOWHERE)
    file = tmp_path / "target.env"
    file.write_text("# nothing but a cache\nREDIS_URL=redis://127.0.0.1:1/0\n")
    assert "selects no real engine" in refused(home, settings=file)
    assert "There is no file" in refused(home, settings=tmp_path / "absent.env")
    file.write_text("MONGODB_URL=mongodb://x\nsomeone:s3cret\n")
    assert "Line 2 of" in refused(home, settings=file)


def test_a_target_home_in_use(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", NOWHERE)
    with Home(home.parent / "target"):
        assert "Another xget runs on" in refused(home)
