"""A single node: `xget up`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from xget_testing.node.client import Client
from xget_testing.node.nursery import forked
from xget_testing.node.processes import XGET, Process, Start, clean_env, free_base
from xget_testing.node.sandbox import Sandbox


class Node(Client):
    """A single node on its own home and ports; it may be started many times."""

    def __init__(self, folder: Path, sandbox: Sandbox | None = None, *, open_mode: bool = True) -> None:
        super().__init__(free_base())
        self.folder = folder
        self.home = folder / "home"
        self.open_mode = open_mode
        self.env = clean_env()
        if sandbox is not None:
            self.env["SSL_CERT_FILE"] = str(sandbox.ca)
        self.process: Process | None = None

    def start(self, *options: str, launcher: Sequence[str] = (), by: Start = forked, **env: str) -> str:
        """Start it and return the ready line; `launcher` replaces the `xget` command, `by=program` imports all anew."""
        command = [*(launcher or [XGET]), "up", "--port-base", str(self.base), "--home", str(self.home), *options]
        command += ["--open"] if self.open_mode else []
        log = self.folder / "node.log"
        self.process = Process(command, cwd=self.folder, env={**self.env, **env}, log=log, start=by)
        return self.process.ready

    def stop(self, seconds: float = 60) -> int:
        """SIGTERM, and the exit code."""
        assert self.process is not None
        return self.process.stop(seconds)

    def close(self) -> None:
        """Stop what still runs."""
        self.http.close()
        if self.process is not None and self.process.alive:
            self.process.stop()


@contextmanager
def running_node(
    folder: Path,
    sandbox: Sandbox | None = None,
    *options: str,
    open_mode: bool = True,
    env: Mapping[str, str] | None = None,
) -> Iterator[Node]:
    """A started node with, if there is a sandbox, its proxy and one account in the pool; `options` of `xget up`."""
    node = Node(folder, sandbox, open_mode=open_mode)
    node.env.update(env or {})
    try:
        node.start(*options)
        if sandbox is not None and open_mode:
            node.add_proxy(sandbox.proxy)
            node.add_account()
        yield node
    finally:
        node.close()
