"""Tasks that keep a cluster busy while something dies, each with the truth of what it has to find."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx2 as httpx

from xget_testing.node import Cluster, Sandbox

ENDED = frozenset({"COMPLETED", "FAILED", "STOPPED"})
# They overlap: an item that several tasks find is new for one of them only.
QUERIES = ("climate", "AI", "quantum OR 量子", "climate lang:en", "football OR space", "markets OR AI")


@dataclass(frozen=True)
class Wanted:
    """What a task was asked for, and the native ids that it has to find."""

    query: str
    limit: int
    ids: tuple[str, ...]


class Collection:
    """Orders tasks at a gateway that may be away for a while, each order once."""

    def __init__(self, cluster: Cluster, sandbox: Sandbox) -> None:
        self.cluster = cluster
        self.sandbox = sandbox
        self.tasks: dict[str, Wanted] = {}

    def order(self, limit: int, *, query: str = "", seconds: float = 120) -> str:
        """Create a task, asking until it is accepted; its id. The same order twice is one task."""
        query = query or QUERIES[len(self.tasks) % len(QUERIES)]
        truth = self.sandbox.truth(task_type="KEYWORD_SEARCH", query=query, limit=limit)["matches"]
        body = {"task_name": query, "task_type": "KEYWORD_SEARCH", "parameters": {"query": query, "limit": limit}}
        headers = {"Idempotency-Key": str(uuid4())}
        made = self.ask("POST", "/tasks", seconds, json=body, headers=headers)
        self.tasks[made["id"]] = Wanted(query, limit, tuple(str(one) for one in truth))
        return str(made["id"])

    def ask(self, method: str, path: str, seconds: float = 120, **options: Any) -> Any:
        """Call the gateway until it answers; what is away says 503 (or 429), or nothing at all."""
        said: object = None

        def answered() -> httpx.Response | None:
            nonlocal said
            try:
                answer = self.cluster.http.request(method, f"/api/v1{path}", **options)
            except httpx.HTTPError as error:
                said = error
                return None
            said = f"{answer.status_code} {answer.text[:300]}"
            # 409: the first try of this order is still under way
            return None if answer.status_code in {409, 429, 503} else answer

        answer = self.until(answered, seconds, lambda: f"{method} {path}: {said}")
        assert not answer.is_error, said
        return answer.json()

    def unfinished(self) -> list[str]:
        """Ids of tasks that go on."""
        found = self.ask("GET", "/tasks", params={"size": 100})["items"]
        return [task["id"] for task in found if task["status"] not in ENDED]

    def keep_busy(self, tasks: int, limit: int) -> None:
        """Order more when fewer than so many tasks go on."""
        for _ in range(tasks - len(self.unfinished())):
            self.order(limit)

    def execution(self, task: str) -> dict[str, Any]:
        """A task's newest execution."""
        found: dict[str, Any] = self.ask("GET", f"/task-executions/task/{task}")["items"][0]
        return found

    def finish(self, seconds: float) -> None:
        """Wait until every task has ended."""
        self.until(lambda: not self.unfinished(), seconds, lambda: str([self.execution(t) for t in self.unfinished()]))

    def until(self, holds: Callable[[], Any], seconds: float, why: Callable[[], str]) -> Any:
        """What `holds` answers once it is something true; fails with `why` and what the processes said."""
        deadline = time.monotonic() + seconds
        while not (found := holds()):
            assert time.monotonic() < deadline, f"not within {seconds} s: {why()}\n{self.cluster.logs()}"
            time.sleep(0.1)
        return found
