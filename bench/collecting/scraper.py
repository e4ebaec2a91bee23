"""The scraper's app in this process, and something that confirms every collected page as storage does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx2 as httpx

from xget_contracts.events import PAGES, STORED, PageCollected, PageStored
from xget_events.codec import decode, message
from xget_events.log import Record
from xget_events.runner import ConsumerRunner
from xget_events.sqlite import SqliteEventLog
from xget_kernel.clock import SystemClock
from xget_scraper.app import create_app
from xget_scraper.settings import Settings
from xget_telemetry import logs
from xget_testing.apps import running
from xget_testing.collecting import ListSource
from xget_testing.tokens import TokenMaker

ENDED: Final = ("COMPLETED", "FAILED", "STOPPED")
LEASE_SECONDS: Final = 60.0
"""A busy machine loses no lease."""
TOKEN_SECONDS: Final = 86_400
"""A million posts take longer than people's tokens last."""


@dataclass
class Scraper:
    """Takes tasks; `matches` are how many entries the pages so far gave as answers."""

    client: httpx.AsyncClient
    log: SqliteEventLog
    settings: Settings
    matches: int = 0
    requests: int = 0
    keys: set[str] = field(default_factory=set)
    """Of all answers, where somebody wants them."""
    keeps_keys: bool = False

    async def search(self, **parameters: Any) -> str:
        """Create a search, which starts it."""
        body = {"task_name": "bench", "task_type": "KEYWORD_SEARCH", "parameters": parameters}
        answer = await self.client.post("/api/v1/tasks", json=body)
        answer.raise_for_status()
        return str(answer.json()["id"])

    async def ended(self, task: str) -> dict[str, Any]:
        """Its status document when it is at its end."""
        while True:
            answer = await self.client.get(f"/api/v1/tasks/{task}/status")
            status: dict[str, Any] = answer.raise_for_status().json()
            if status["status"] in ENDED:
                return status
            await asyncio.sleep(0.5)

    async def confirm(self, records: list[Record]) -> None:
        """Say that pages are stored."""
        now = SystemClock().now()
        pages = [decode(record, PageCollected) for record in records]
        for page in pages:
            self.requests += 1
            self.matches += len(page.match_keys)
            if self.keeps_keys:
                self.keys.update(page.match_keys)
        stored = [message(STORED, page.execution_id, _stored(page), source="bench", now=now) for page in pages]
        await self.log.publish(stored)


def _stored(page: PageCollected) -> PageStored:
    count = len(page.match_keys)
    return PageStored(
        execution_id=page.execution_id, task_id=page.task_id, owner_id=page.owner_id, page_no=page.page_no,
        attempt=page.attempt, stored_at=page.fetched_at, matched=count, context=0, new=count, updated=0, unchanged=0,
        duplicate=0, keys=page.match_keys,
    )  # fmt: skip


def settings_of(home: Path) -> Settings:
    """For an app or a worker on the same tables."""
    return Settings(
        home=home, port=0, grpc_port=0, scraper_lease_seconds=LEASE_SECONDS,
        account_service_url="http://127.0.0.1:1", proxy_service_url="http://127.0.0.1:1",
        storage_service_url="http://127.0.0.1:1",
    )  # fmt: skip


@asynccontextmanager
async def scraper(home: Path, *, keeps_keys: bool = False) -> AsyncIterator[Scraper]:
    """Everything but a worker."""
    log, settings, tokens = SqliteEventLog(home / "events.db"), settings_of(home), TokenMaker()
    app = create_app(settings, log=log, verifier=tokens.verifier(), sources={"x": ListSource([])})
    stop = asyncio.Event()
    try:
        token = tokens.make("ada", ["analyst"], exp=int(time.time() + TOKEN_SECONDS))
        async with running(app, token=token) as client, asyncio.TaskGroup() as group:
            logs.configure("bench", level="warning")
            found = Scraper(client, log, settings, keeps_keys=keeps_keys)
            group.create_task(ConsumerRunner(log, "bench-storage", [PAGES], found.confirm).run(stop))
            try:
                yield found
            finally:
                stop.set()
    finally:
        await log.close()
