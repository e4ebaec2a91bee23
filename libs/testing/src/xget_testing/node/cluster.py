"""A cluster: `xget cluster`, one process per service, on given engines or on embedded ones."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx2 as httpx

from xget_testing.node.client import Client
from xget_testing.node.nursery import forked, program
from xget_testing.node.processes import XGET, Process, clean_env, free_base
from xget_testing.node.sandbox import Sandbox

HATCHERY = str(Path(__file__).with_name("hatchery.py"))


class Cluster(Client):
    """Processes under a supervisor, on a home and ports of their own; it may be started many times.

    `engines` is the environment that selects them (`OwnNames.env`); `replicas` as for `xget cluster --replicas`.
    `hatched` saves the imports of each start (see `hatchery`).
    """

    def __init__(
        self,
        folder: Path,
        sandbox: Sandbox | None = None,
        *,
        engines: Mapping[str, str] | None = None,
        replicas: str = "",
        open_mode: bool = True,
        hatched: bool = False,
    ) -> None:
        super().__init__(free_base(workers=4))
        self.folder = folder
        self.home = folder / "home"
        self.replicas = replicas
        self.open_mode = open_mode
        self.hatched = hatched
        self.env = {**clean_env(), **(engines or {})}
        if sandbox is not None:
            self.env["SSL_CERT_FILE"] = str(sandbox.ca)
        self.process: Process | None = None

    def start(self, *options: str, launcher: Sequence[str] = (), **env: str) -> str:
        """Start all and return the ready line; `launcher` replaces the `xget` command."""
        xget = [HATCHERY] if self.hatched else [XGET]
        command = [*(launcher or xget), "cluster", "--port-base", str(self.base), "--home", str(self.home), *options]
        command += ["--replicas", self.replicas] if self.replicas else []
        command += ["--open"] if self.open_mode else []
        by = forked if self.hatched else program
        log = self.folder / "cluster.log"
        self.process = Process(command, cwd=self.folder, env={**self.env, **env}, log=log, start=by)
        return self.process.ready

    def state(self) -> dict[str, dict[str, int]]:
        """`pid` (0 when it does not run), `port` and `starts` of each process by its name."""
        found: dict[str, dict[str, int]] = json.loads((self.home / "cluster.json").read_text())
        return found

    def kill(self, name: str, seconds: float = 60) -> int:
        """SIGKILL one process, as `storage`, `scraper-worker`, `storage-worker-2` or `gateway`; returns its pid.

        The supervisor starts it again by itself. Waits for it to run if it does not.
        """
        deadline = time.monotonic() + seconds
        while not (pid := self.state()[name]["pid"]):
            assert time.monotonic() < deadline, f"{name} does not run"
            time.sleep(0.05)
        os.kill(pid, signal.SIGKILL)
        return pid

    def pids(self) -> dict[str, int]:
        """Of what runs, by name."""
        return {name: one["pid"] for name, one in self.state().items() if one["pid"]}

    def wait_ready(self, seconds: float = 120) -> float:
        """Wait until the gateway says that every service can work; how long that took."""
        began = time.monotonic()
        while True:
            try:
                if self.http.get("/readyz").status_code == 200:
                    return time.monotonic() - began
            except httpx.HTTPError:
                pass  # not yet
            assert time.monotonic() - began < seconds, self.logs()
            time.sleep(0.1)

    def logs(self) -> str:
        """The end of what every process has said."""
        texts = {path.name: path.read_text("utf-8", "replace")[-1500:] for path in (self.home / "logs").glob("*.log")}
        return "\n".join(f"--- {name}\n{text}" for name, text in texts.items() if text)

    def stop(self, seconds: float = 90) -> int:
        """SIGTERM to the supervisor, and its exit code."""
        assert self.process is not None
        return self.process.stop(seconds)

    def close(self) -> None:
        """Stop what still runs."""
        self.http.close()
        if self.process is not None and self.process.alive:
            self.process.stop()


@contextmanager
def running_cluster(
    folder: Path,
    sandbox: Sandbox | None = None,
    *,
    engines: Mapping[str, str] | None = None,
    replicas: str = "",
    open_mode: bool = True,
    hatched: bool = False,
) -> Iterator[Cluster]:
    """A started cluster with, if there is a sandbox, its proxy and one account in the pool."""
    cluster = Cluster(folder, sandbox, engines=engines, replicas=replicas, open_mode=open_mode, hatched=hatched)
    try:
        cluster.start()
        if sandbox is not None and open_mode:
            cluster.add_proxy(sandbox.proxy)
            cluster.add_account()
        yield cluster
    finally:
        cluster.close()
