"""A running stand-in of X."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2 as httpx

from xget_testing.node.nursery import forked
from xget_testing.node.processes import XGET, Process, clean_env, free_port


class Sandbox:
    """A running `xget sandbox`."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.ca = folder / "ca.pem"
        self.port = free_port()
        command = [XGET, "sandbox", "--port", str(self.port), "--ca", str(self.ca), *options]
        self.process = Process(command, cwd=folder, env=clean_env(), log=folder / "sandbox.log", start=forked)
        self.proxy = f"http://127.0.0.1:{self.port}"
        self.imap = int(options[options.index("--imap") + 1]) if "--imap" in options else 0

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

    def register(self, *people: dict[str, Any]) -> None:
        """Let people log in."""
        self._call("POST", "accounts", json=list(people))

    def people(self) -> dict[str, Any]:
        """Who may log in, and how often who did; how often a login page was given."""
        found: dict[str, Any] = self._call("GET", "accounts")
        return found

    def mail(self, **rules: Any) -> None:
        """Deliver mail late or never from now on, as `lost=True`."""
        self._call("POST", "mail", json=rules)

    def api(self, **rules: Any) -> None:
        """Another month's cap, other projects or limits of the official API from now on, as `cap=500`."""
        self._call("POST", "api", json=rules)

    def paging(self, rules: str) -> None:
        """Let searches stall, lie and forget cursors from now on, as `stall=800,lie=0.02`."""
        self._call("POST", "paging", json={"paging": rules})

    def change(self, **change: Any) -> dict[str, int]:
        """Let posts go or be edited and people change, as `delete=[…]` or `rename={old: new}`; how many it were."""
        done: dict[str, int] = self._call("POST", "change", json=change)
        return done

    def drift(self, *drifts: dict[str, Any]) -> None:
        """Change the format of the answers."""
        self._call("POST", "drift", json={"drift": drifts})

    def advance(self, seconds: float) -> None:
        """Let X's clock and the virtual one move on."""
        self._call("POST", "clock", json={"advance": seconds})

    def _call(self, method: str, path: str, **options: Any) -> Any:
        with httpx.Client(timeout=60, trust_env=False) as client:
            answer = client.request(method, f"{self.proxy}/__sandbox__/{path}", **options)
        return answer.raise_for_status().json()


@contextmanager
def running_sandbox(folder: Path, *options: str) -> Iterator[Sandbox]:
    """A sandbox for the length of a block."""
    folder.mkdir(parents=True, exist_ok=True)
    sandbox = Sandbox(folder, *options)
    try:
        yield sandbox
    finally:
        sandbox.process.stop()
