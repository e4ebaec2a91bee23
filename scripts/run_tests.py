"""What `make test` and `make test-fast` run; the last line printed is pytest's own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from types import FrameType

import in_memory
from own_engines import engines

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    """Run all tests with real engines, or only the fast ones; the exit code is pytest's."""
    fast = sys.argv[1:2] == ["fast"]
    env = {**os.environ, "TWS_TELEMETRY": "0", "PYTHONDONTWRITEBYTECODE": ""}
    workers = "2" if fast or sys.argv[2:] else "3"  # trials wait: beside them a third has room
    shared = ["-n", workers, "--dist", "loadscope", "--no-loadscope-reorder"]
    command = [sys.executable, "-m", "pytest", "-q", *shared, "--durations=10"]
    signal.signal(signal.SIGTERM, interrupted)
    try:
        with in_memory.folder() as place:
            if place is not None:
                command.append(f"--basetemp={place / 'pytest'}")
                env["XGET_ENGINES_RUN"] = os.environ["XGET_ENGINES_RUN"] = str(place / "engines")
            if fast:
                return run([*command, "-m", "not slow and not connected", *sys.argv[2:]], env)
            with engines("tests") as found:
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


def interrupted(number: int, frame: FrameType | None) -> None:
    """SIGTERM ends the run as Ctrl-C does: the engines are stopped."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
