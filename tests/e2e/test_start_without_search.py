"""Search that does not answer at the start: one warning with the fix, everything else works; commands refuse."""

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2 as httpx
import pytest

from xget_testing.node import XGET, Process, clean_env, free_port
from xget_testing.strangers import silent_server, stranger
from xget_testing.waiting import eventually, promised

pytestmark = pytest.mark.slow
HIDDEN = "hidden-word"
NOBODY = f"http://someone:{HIDDEN}@127.0.0.1:1"
SEVERAL = f"http://127.0.0.1:2,{NOBODY}"
UNKNOWN = f"http://someone:{HIDDEN}@no.such.host.invalid:9200"


@pytest.fixture(scope="module")
def silent() -> Iterator[str]:
    with stranger(silent_server) as port:
        yield f"http://someone:{HIDDEN}@127.0.0.1:{port}"


@pytest.mark.parametrize(
    ("part", "url"),
    [
        ("serve storage", NOBODY),
        ("worker storage", SEVERAL),
        ("serve storage", UNKNOWN),
        ("worker storage", "silent"),
    ],
)
def test_storage_starts_says_so_once_and_works(tmp_path: Path, silent: str, part: str, url: str) -> None:
    given = silent if url == "silent" else url
    log, port = tmp_path / "said.log", free_port()
    command = [XGET, *part.split(), "--home", str(tmp_path / "home"), "--port", str(port)]
    env = clean_env() | {"ELASTICSEARCH_URL": given, "XGET_GRPC_PORT": "0"}
    began = time.monotonic()
    process = Process(command, cwd=tmp_path, env=env, log=log)
    try:
        assert time.monotonic() - began < promised(25), "it waits for search"
        eventually(lambda: (ready := asked(port)).status_code == 200 and ready.json().get("degraded"))
        ready = asked(port)
        eventually(lambda: "search_is_away" in log.read_text())
    finally:
        assert process.stop() == 0
    assert ready.status_code == 200
    (sentence,) = ready.json()["degraded"]
    assert sentence.startswith("Search is away: Elasticsearch at ")
    (warning,) = [line for line in map(json.loads, log.read_text().splitlines()) if line["event"] == "search_is_away"]
    assert warning["level"] == "warning"
    for word in ("does not answer", "start it, correct ELASTICSEARCH_URL", "********@"):
        assert word in warning["reason"]
    assert HIDDEN not in log.read_text() + ready.text


def asked(port: int) -> httpx.Response:
    return httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=60, trust_env=False)


def test_a_command_about_search_needs_it(tmp_path: Path) -> None:
    env = clean_env() | {"ELASTICSEARCH_URL": NOBODY, "XGET_HOME": str(tmp_path / "home")}
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "documents.db").touch()
    done = subprocess.run(
        [XGET, "search", "reindex"], env=env, capture_output=True, text=True, timeout=180, check=False
    )
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done
    assert "Elasticsearch at http://********@127.0.0.1:1 does not answer" in done.stderr
    assert HIDDEN not in done.stderr
