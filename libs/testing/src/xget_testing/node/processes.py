"""Children with a ready line, and a place for them: environment and ports."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from xget_testing.node.nursery import Child, program

Start = Callable[[Sequence[str], Path, dict[str, str], Path], Child]
XGET = str(Path(sys.executable).with_name("xget"))
START_SECONDS = 60.0


class NotStarted(Exception):
    """A process ended before its ready line; the text is what it printed."""


class Process:
    """A child with a ready line. Its errors go to `log`."""

    def __init__(
        self, command: Sequence[str], *, cwd: Path, env: dict[str, str], log: Path, start: Start = program
    ) -> None:
        self.log = log
        self.child = start(command, cwd, env, log)
        assert self.child.stdout is not None
        self.ready = self.child.stdout.readline().strip()
        if not self.ready:
            self.child.wait(timeout=START_SECONDS)
            self.child.stdout.close()
            raise NotStarted(log.read_text()[-3000:])

    def kill(self) -> None:
        """SIGKILL: no chance to tidy up."""
        self.child.kill()
        self._reap(5)

    def stop(self, seconds: float = 60) -> int:
        """SIGTERM, and the exit code; a process that does not end in time is killed and counts as -9."""
        self.child.send_signal(signal.SIGTERM)
        return self._reap(seconds)

    def wait(self, seconds: float) -> int:
        """The exit code of a process that is expected to end by itself."""
        return self._reap(seconds)

    @property
    def alive(self) -> bool:
        """False once the process has ended."""
        return self.child.poll() is None

    def _reap(self, seconds: float) -> int:
        try:
            code = self.child.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.child.kill()
            code = self.child.wait()
        if self.child.stdout is not None:
            self.child.stdout.close()
        return code


def clean_env() -> dict[str, str]:
    """The environment without settings of ours, so that a trial is the same everywhere."""
    ours = ("XGET_", "DATABASE_URL", "POSTGRES_", "KAFKA_", "MONGODB_", "REDIS_", "ELASTICSEARCH_", "SSL_CERT", "OTEL_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    # The sandbox is a proxy on this machine: only an operator may say that proxies are there.
    return {**kept, "TWS_TELEMETRY": "0", "XGET_PROXY_ALLOW_NETWORKS": "127.0.0.1"}


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def free_base(*, workers: int = 0) -> int:
    """A base whose gateway, service and gRPC ports are all free, and those of so many replicas of workers."""
    # A node that restarts must find its ports free: no other worker takes them, nor do engines (from 20000 on).
    worker = {"gw0": 0, "gw1": 1}.get(os.environ.get("PYTEST_XDIST_WORKER", ""), 2)
    lowest = 10_000 + 3_300 * worker
    for _ in range(200):
        base = random.randrange(lowest, lowest + 2_100, 10)
        spans = [0, 1000, *(100 + 10 * n for n in range(workers))]
        if all(_free(base + offset + n) for offset in spans for n in range(9)):
            return base
    raise NotStarted("no free range of ports")


def _free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
