"""Programs that tests call: `promtool`, `chromium` are found or fetched, `jaeger` where `make test-jaeger` made it."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from pathlib import Path

import pytest

TOOLS = ("promtool", "jaeger", "chromium")
COMMAND = Path(__file__).resolve().parents[4] / "scripts" / "tools"
FETCH_SECONDS = 300.0


def program(name: str) -> str:
    """Path of a tool. Skips the test that asks where there is none; fails it with XGET_REQUIRE_ENGINES=1."""
    assert name in TOOLS, f"no tool is called {name!r}"
    if name == "jaeger":
        if path := os.environ.get("XGET_JAEGER"):
            return path
        pytest.skip("needs jaeger: run `make test-jaeger`")
    found, why = _found(name)
    if not found:
        (pytest.fail if os.environ.get("XGET_REQUIRE_ENGINES") == "1" else pytest.skip)(f"needs {name}: {why}")
    return found


@functools.cache
def _found(name: str) -> tuple[str, str]:
    command = [sys.executable, str(COMMAND), name]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=FETCH_SECONDS)  # noqa: S603 - our own command, no shell
    return run.stdout.strip(), run.stderr.strip()
