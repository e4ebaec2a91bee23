"""`python -m xget_sandbox` as people run it."""

from __future__ import annotations

import contextlib
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest


@contextlib.contextmanager
def running(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "xget_sandbox", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_when_it_is_ready_and_ends_in_peace(tmp_path: Path, number: signal.Signals) -> None:
    ca_file = tmp_path / "deep" / "ca.pem"
    with running("--port", "0", "--ca", str(ca_file)) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("sandbox ready: proxy http://127.0.0.1:")
        assert line.endswith(f" ca {ca_file}\n")
        ssl.create_default_context(cafile=str(ca_file))
        process.send_signal(number)
        rest, errors = process.communicate(timeout=60)
        assert (process.returncode, rest, errors) == (0, "", "")


@pytest.mark.slow
def test_mistakes_are_one_line_and_exit_2(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        wrong = {
            ("--port", port): "Port",
            ("--port", "70000"): "Port",
            ("--replay", str(tmp_path / "none")): "manifest.json",
            ("--faults", "meteor@1"): "meteor",
            ("--posts", "-1"): "--posts",
            ("--limit-scale", "0"): "--limit-scale",
            ("--ca", "/dev/null/ca.pem"): "cannot be written",
        }
        for arguments, word in wrong.items():
            with running("--ca", str(tmp_path / "ca.pem"), "--port", "0", *arguments) as process:
                out, errors = process.communicate(timeout=60)
            assert (process.returncode, out) == (2, "")
            assert word in errors
            assert errors.startswith("sandbox: ")
            assert errors.count("\n") == 1
