"""What `make test` and `make test-fast` run; the last line printed is pytest's own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

ROOT = Path(__file__).resolve().parent.parent
ENGINES = [sys.executable, str(ROOT / "scripts" / "engines")]
NAMES = ("postgres", "redis", "mongodb", "elasticsearch", "kafka")


def main() -> int:
    """Run all tests with real engines, or only the fast ones; the exit code is pytest's."""
    fast = sys.argv[1:2] == ["fast"]
    env = {**os.environ, "TWS_TELEMETRY": "0", "PYTHONDONTWRITEBYTECODE": ""}
    shared = ["-n", "2", "--dist", "loadscope", "--no-loadscope-reorder"]
    command = [sys.executable, "-m", "pytest", "-q", *shared, "--durations=10"]
    if fast:
        return run([*command, "-m", "not slow and not connected", *sys.argv[2:]], env)
    signal.signal(signal.SIGTERM, interrupted)
    try:
        with engines() as found:
            return run([*command, *sys.argv[2:]], {**env, **found})
    except KeyboardInterrupt:
        return 130


def run(command: list[str], env: dict[str, str]) -> int:
    """Run pytest; an interrupt reaches it too, and it may end its session."""
    with subprocess.Popen(command, cwd=ROOT, env=env) as pytest:
        try:
            return pytest.wait()
        except KeyboardInterrupt:
            pytest.send_signal(signal.SIGINT)
            try:
                pytest.wait(timeout=30)
            finally:
                pytest.kill()
            raise


@contextmanager
def engines() -> Iterator[dict[str, str]]:
    """Engines of this run; yields the variables that tell tests of them. XGET_ENGINES names another set instead."""
    if os.environ.get("XGET_ENGINES"):
        yield {}
        return
    own = ["--set", f"tests-{os.getpid()}"]
    start = [*ENGINES, "start", *own, "--json", "--owner-pid", str(os.getpid())]
    try:
        started = subprocess.run(start, stdout=subprocess.PIPE, text=True, check=False)
        known = json.loads(started.stdout or "{}")
        absent = [name for name in NAMES if name not in known]
        if absent and os.environ.get("XGET_REQUIRE_ENGINES") == "1":
            sys.exit(f"tests: no {', '.join(absent)} (see above), and XGET_REQUIRE_ENGINES=1 asks for every engine.")
        if absent:
            print(f"tests: skipping what needs {', '.join(absent)} (see above)", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory(prefix="xget-tests-") as folder:
            file = Path(folder) / "engines.json"
            file.touch(mode=0o600)
            file.write_text(json.dumps(known), "utf-8")
            yield {"XGET_ENGINES": str(file)}
    finally:
        subprocess.run([*ENGINES, "stop", "--remove", *own], stderr=subprocess.DEVNULL, check=False)


def interrupted(number: int, frame: FrameType | None) -> None:
    """SIGTERM ends the run as Ctrl-C does: the engines are stopped."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
