"""Real engines for tests: URLs of the shared ones, and private ones for trials that kill them.

`XGET_ENGINES` names a JSON file of URLs (`make test` writes it; `python scripts/engines start --json > FILE` does so by
hand). A test that is marked `connected("kafka")`, or asks for a URL, is skipped where the engine is absent; with
`XGET_REQUIRE_ENGINES=1` it fails.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

import pytest

from xget_testing.tools import TOOLS, program

__all__ = [
    "ENGINES",
    "OwnEngines",
    "elasticsearch_url",
    "engine_url",
    "kafka_servers",
    "mongodb_url",
    "postgres_url",
    "pytest_runtest_setup",
    "redis_url",
]

ENGINES = ("postgres", "redis", "mongodb", "elasticsearch", "kafka")
COMMAND = Path(__file__).resolve().parents[4] / "scripts" / "engines"
START_SECONDS = 300.0
_numbers = itertools.count(1)


def url_of(name: str) -> str:
    """URL of a shared engine. Skips the test that asks when there is none, or fails it with XGET_REQUIRE_ENGINES=1."""
    assert name in ENGINES, f"no engine is called {name!r}"
    file = os.environ.get("XGET_ENGINES")
    known: dict[str, str] = json.loads(Path(file).read_text("utf-8")) if file else {}
    if name in known:
        return known[name]
    reason = f"needs {name}: run `make test`, or name a running set's URLs in XGET_ENGINES"
    if os.environ.get("XGET_REQUIRE_ENGINES") == "1":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Hook of the root conftest: tests marked `connected(engine, …)` run only where these engines are."""
    for mark in item.iter_markers("connected"):
        for name in mark.args:
            program(name) if name in TOOLS else url_of(name)


@pytest.fixture(scope="session")
def engine_url() -> Callable[[str], str]:
    """URL of a shared engine by its name."""
    return url_of


@pytest.fixture(scope="session")
def postgres_url() -> str:
    """`postgresql://user:password@host:port/xget`; make a database or schema of your own."""
    return url_of("postgres")


@pytest.fixture(scope="session")
def redis_url() -> str:
    """`redis://host:port/0`; use a key prefix of your own."""
    return url_of("redis")


@pytest.fixture(scope="session")
def mongodb_url() -> str:
    """`mongodb://host:port/?…`; use a database of your own and drop it."""
    return url_of("mongodb")


@pytest.fixture(scope="session")
def elasticsearch_url() -> str:
    """`http://host:port`; use an index prefix of your own and delete what you made."""
    return url_of("elasticsearch")


@pytest.fixture(scope="session")
def kafka_servers() -> str:
    """`host:port`; use topics and groups of your own."""
    return url_of("kafka")


class OwnEngines:
    """Engines of one test, to be killed and started again. They end with this process, whatever happens to it.

    Calls block: use `asyncio.to_thread` in async tests. Mark the test `connected(…)` and `slow`.
    """

    def __init__(self, purpose: str = "own") -> None:
        self.set = f"{purpose}-{os.getpid()}-{next(_numbers)}"

    def start(self, *names: str) -> dict[str, str]:
        """Start those that do not run (default: all) and return the URLs of all that run.

        An engine that was killed comes back on its port with its data. Raises RuntimeError with the reason.
        """
        said = self._run("start", *names, "--json", "--owner-pid", str(os.getpid()))
        urls: dict[str, str] = json.loads(said)
        return urls

    def kill(self, name: str) -> None:
        """SIGKILL the engine and its children."""
        self._run("kill", name)

    def stop(self, *names: str) -> None:
        """Stop these in order, data stay; without names stop all and delete their data. Fine to call twice."""
        self._run("stop", *(names or ["--remove"]))

    def __enter__(self) -> OwnEngines:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _run(self, command: str, *arguments: str) -> str:
        whole = [sys.executable, str(COMMAND), command, "--set", self.set, *arguments]
        result = subprocess.run(whole, capture_output=True, text=True, check=False, timeout=START_SECONDS)  # noqa: S603 - our own command, no shell
        if result.returncode:
            raise RuntimeError(f"engines {command} {' '.join(arguments)}: {result.stderr[-3000:]}")
        return result.stdout
