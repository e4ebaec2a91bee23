"""Real processes for trials that cross services: a sandbox and a single node, started and killed as a user would."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2 as httpx

XGET = str(Path(sys.executable).with_name("xget"))
START_SECONDS = 60.0


class NotStarted(Exception):
    """A process ended before its ready line; the text is what it printed."""


class Process:
    """A child with a ready line. Its errors go to `log`."""

    def __init__(self, command: Sequence[str], *, cwd: Path, env: dict[str, str], log: Path) -> None:
        self.log = log
        with log.open("a") as errors:
            self.child = subprocess.Popen(  # noqa: S603 - our own command, no shell
                list(command), cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=errors, text=True
            )
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

    def stop(self, seconds: float = 15) -> int:
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


class Sandbox:
    """A running `xget sandbox`."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.ca = folder / "ca.pem"
        self.port = free_port()
        command = [XGET, "sandbox", "--port", str(self.port), "--ca", str(self.ca), *options]
        self.process = Process(command, cwd=folder, env=clean_env(), log=folder / "sandbox.log")
        self.proxy = f"http://127.0.0.1:{self.port}"

    def truth(self, **query: Any) -> dict[str, Any]:
        """What exists, for a task type and its parameters."""
        found: dict[str, Any] = self._call("GET", "truth", params=query)
        return found

    def log(self) -> Any:
        """Requests that the sandbox has seen."""
        return self._call("GET", "log")

    def faults(self, faults: str) -> None:
        """Misbehave from now on."""
        self._call("POST", "faults", json={"faults": faults})

    def _call(self, method: str, path: str, **options: Any) -> Any:
        with httpx.Client(timeout=30, trust_env=False) as client:
            answer = client.request(method, f"{self.proxy}/__sandbox__/{path}", **options)
        return answer.raise_for_status().json()


class Node:
    """A single node on its own home and ports; it may be started many times."""

    def __init__(self, folder: Path, sandbox: Sandbox | None = None, *, open_mode: bool = True) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.base = free_base()
        self.open_mode = open_mode
        self.env = clean_env()
        if sandbox is not None:
            self.env["SSL_CERT_FILE"] = str(sandbox.ca)
        self.process: Process | None = None
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{self.base}", timeout=30, trust_env=False)

    def start(self, *options: str, launcher: Sequence[str] = (), **env: str) -> str:
        """Start it and return the ready line; `launcher` replaces the `xget` command."""
        command = [*(launcher or [XGET]), "up", "--port-base", str(self.base), "--home", str(self.home), *options]
        command += ["--open"] if self.open_mode else []
        self.process = Process(command, cwd=self.folder, env={**self.env, **env}, log=self.folder / "node.log")
        return self.process.ready

    def api(self, method: str, path: str, **options: Any) -> Any:
        """One call to the gateway under /api/v1; raises on an error answer."""
        answer = self.http.request(method, f"/api/v1{path}", **options)
        assert not answer.is_error, f"{method} {path}: {answer.status_code} {answer.text[:500]}"
        return answer.json() if answer.content else None

    def add_account(self, name: str = "one") -> str:
        """Import cookies of an account; returns its id."""
        text = f"auth_token={name * 8}; ct0={'c' * 32}"
        report = self.api("POST", "/accounts/import", json={"text": text, "username": name})
        return str((report.get("lines") or report.get("items"))[0]["account_id"])

    def add_proxy(self, url: str) -> None:
        """Put a proxy into the pool."""
        self.api("POST", "/proxies/import", json={"text": url})

    def create(self, task_type: str, parameters: dict[str, Any], **fields: Any) -> str:
        """Create a task that starts at once; returns its id."""
        body = {"task_name": task_type, "task_type": task_type, "parameters": parameters, **fields}
        return str(self.api("POST", "/tasks", json=body)["id"])

    def wait_for(self, task_id: str, seconds: float = 60) -> dict[str, Any]:
        """The task once it has ended."""
        deadline = time.monotonic() + seconds
        while True:
            task: dict[str, Any] = self.api("GET", f"/tasks/{task_id}")
            if task["status"] in {"COMPLETED", "FAILED", "STOPPED"}:
                return task
            assert time.monotonic() < deadline, f"not ended: {json.dumps(task, ensure_ascii=False)}"
            time.sleep(0.1)

    def certificate(self, task_id: str) -> dict[str, Any]:
        """The certificate of a task's newest execution."""
        newest = self.api("GET", f"/task-executions/task/{task_id}")["items"][0]
        found: dict[str, Any] = self.api("GET", f"/task-executions/{newest['id']}/certificate")
        return found

    def results(self, task_id: str) -> list[dict[str, Any]]:
        """Everything a task has stored, all pages."""
        found, cursor = [], None
        while True:
            params = {"limit": 100, **({"cursor": cursor} if cursor else {})}
            page = self.api("GET", f"/tasks/{task_id}/results", params=params)
            found += page["items"]
            cursor = page["next_cursor"]
            if not cursor:
                return found

    def stop(self, seconds: float = 15) -> int:
        """SIGTERM, and the exit code."""
        assert self.process is not None
        return self.process.stop(seconds)

    def close(self) -> None:
        """Stop what still runs."""
        self.http.close()
        if self.process is not None and self.process.alive:
            self.process.stop()


@contextmanager
def running_sandbox(folder: Path, *options: str) -> Iterator[Sandbox]:
    """A sandbox for the length of a block."""
    folder.mkdir(parents=True, exist_ok=True)
    sandbox = Sandbox(folder, *options)
    try:
        yield sandbox
    finally:
        sandbox.process.stop()


@contextmanager
def running_node(folder: Path, sandbox: Sandbox | None = None, *, open_mode: bool = True) -> Iterator[Node]:
    """A started node with, if there is a sandbox, its proxy and one account in the pool."""
    node = Node(folder, sandbox, open_mode=open_mode)
    try:
        node.start()
        if sandbox is not None and open_mode:
            node.add_proxy(sandbox.proxy)
            node.add_account()
        yield node
    finally:
        node.close()


def clean_env() -> dict[str, str]:
    """The environment without settings of ours, so that a trial is the same everywhere."""
    ours = ("XGET_", "POSTGRES_", "KAFKA_", "MONGODB_", "REDIS_", "ELASTICSEARCH_", "SSL_CERT")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {**kept, "TWS_TELEMETRY": "0"}


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def free_base() -> int:
    """A base whose gateway, service and gRPC ports are all free."""
    worker = {"gw0": 0, "gw1": 1}.get(os.environ.get("PYTEST_XDIST_WORKER", ""), 2)
    lowest = 20000 + 4000 * worker  # a node that restarts must find its ports free: no other worker takes them
    for _ in range(200):
        base = random.randrange(lowest, lowest + 2900, 10)
        if all(_free(base + offset + n) for offset in (0, 1000) for n in range(9)):
            return base
    raise NotStarted("no free range of ports")


def _free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
