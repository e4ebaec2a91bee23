"""A running scraper as tests see it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import httpx2 as httpx

from xget_testing.collecting.sessions import FakeSessions
from xget_testing.collecting.source import ListSource
from xget_testing.collecting.storage import PageStore

ENDED = ("COMPLETED", "FAILED", "STOPPED")


class Worker(Protocol):
    """What `create_worker` gives."""

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set."""


@dataclass
class World:
    """The scraper's HTTP client, the platform, the storage behind the topics, and workers on demand."""

    client: httpx.AsyncClient
    source: ListSource
    sessions: FakeSessions
    storage: PageStore
    settings: Any
    make_worker: Callable[..., Worker]

    @asynccontextmanager
    async def worker(self, **changed: Any) -> AsyncIterator[asyncio.Task[None]]:
        """Run a worker inside the block and stop it at its end; arguments replace what it is built of."""
        stop = asyncio.Event()
        task = asyncio.create_task(self.make_worker(**changed).run(stop))
        try:
            yield task
        finally:
            stop.set()
            await asyncio.gather(task, return_exceptions=True)

    async def create(self, **fields: Any) -> dict[str, Any]:
        """Create a keyword search."""
        body = {"task_name": "AI", "task_type": "KEYWORD_SEARCH", "parameters": {"query": "AI"}} | fields
        answer = await self.client.post("/api/v1/tasks", json=body)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    async def until(self, task: dict[str, Any], *statuses: str, seconds: float = 60) -> dict[str, Any]:
        """The task's status document as soon as its status is one of these (by default: it has ended)."""
        return await self.once(task, lambda found: found["status"] in (statuses or ENDED), seconds)

    async def once(self, task: dict[str, Any], is_so: Callable[[Any], bool], seconds: float = 60) -> dict[str, Any]:
        """The task's status document as soon as this is true of it, asked for ever less often."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        async with asyncio.timeout(seconds):
            while True:
                found = (await self.client.get(f"/api/v1/tasks/{task['id']}/status")).json()
                if is_so(found):
                    return dict(found)
                await asyncio.sleep(max(0.02, (loop.time() - begun) / 20))

    async def certificate(self, status: dict[str, Any]) -> dict[str, Any]:
        """The certificate of the execution in a status document."""
        answer = await self.client.get(f"/api/v1/task-executions/{status['execution']['id']}/certificate")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())
