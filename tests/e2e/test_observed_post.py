"""A post that grows, is edited and is deleted while a task observes it: its history is what happened.

The whole thread in one process: the scraper, X's source on the sandbox, processing and storage, on clocks that leap.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from twscrape.queue_client import XClIdGenStore

import xget_processing.worker
import xget_scraper.app
import xget_scraper.worker
import xget_storage.app
import xget_storage.worker
from xget_events.sqlite import SqliteEventLog
from xget_processing.settings import Settings as ProcessingSettings
from xget_sandbox.app import Options, Sandbox
from xget_sandbox.world.ids import NOW_MS
from xget_sandbox.world.model import Post
from xget_scraper.settings import Settings as ScraperSettings
from xget_sources.x.x_source import XSource
from xget_storage.settings import Settings as StorageSettings
from xget_testing.apps import running
from xget_testing.collecting import LeapClock
from xget_testing.lending import HastyClock, Lender
from xget_testing.tokens import TokenMaker

pytestmark = pytest.mark.slow
DAY = 86_400


@dataclass
class Lenders:
    """Sessions with accounts behind the sandbox."""

    proxy_url: str

    @asynccontextmanager
    async def open(self, _: object) -> AsyncIterator[Lender]:
        """Three accounts."""
        yield Lender(self.proxy_url)


@dataclass
class Thread:
    """All of it, and the two clocks."""

    sandbox: Sandbox
    clock: LeapClock
    tasks: httpx.AsyncClient
    data: httpx.AsyncClient

    def leap(self, seconds: float) -> None:
        """Let time pass for X and for XGet."""
        self.sandbox.conditions.limits.clock.advance(seconds)
        self.clock.leap(seconds)

    def change(self, **what: list[str]) -> datetime:
        """Let something happen on X; when that was."""
        self.sandbox.director.changes.apply(what)
        return datetime.fromtimestamp(self.sandbox.world.life.now_ms / 1000, UTC)

    async def look(self, task: str, **expected: int) -> None:
        """Wait until the observations are so, and storage has all of them."""
        async with asyncio.timeout(240):
            while True:
                found = (await self.tasks.get(f"/api/v1/tasks/{task}/observations")).json()
                runs = (await self.tasks.get(f"/api/v1/task-executions/task/{task}")).json()["items"]
                ended = all(run["completed_at"] for run in runs)
                if ended and all(found[name] == value for name, value in expected.items()):
                    return
                await asyncio.sleep(0.1)

    async def history(self, key: int) -> dict[str, Any]:
        """What is told of a post, oldest sight first."""
        answer = await self.data.get(f"/api/v1/data/x:{key}/history", params={"sort": "oldest"})
        return dict(answer.json())

    def likes(self, post: Post) -> int:
        """The truth of the moment."""
        return self.sandbox.world.life.metrics(post).likes


@pytest.fixture
async def thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Thread]:
    clock, tokens, given = LeapClock(), TokenMaker(), {"home": tmp_path, "port": 0, "internal_token": "inner"}
    clock.leap(NOW_MS / 1000 - clock.now().timestamp())
    XClIdGenStore.items.clear()
    async with AsyncExitStack() as stack:
        sandbox = Sandbox(Options(port=0, ca_file=tmp_path / "ca.pem", posts=300, rich=True))
        await sandbox.start()
        stack.push_async_callback(sandbox.stop)
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        log, source = SqliteEventLog(tmp_path / "events.db"), XSource(HastyClock())
        stack.push_async_callback(log.close)
        stack.push_async_callback(source.close)
        scraping, storing = ScraperSettings(**given, scraper_observe_seconds=0.1), StorageSettings(**given)
        verifier, token = tokens.verifier(), tokens.make("ada", ["analyst"])
        app = xget_scraper.app.create_app(scraping, log=log, clock=clock, verifier=verifier, sources={"x": source})
        tasks = await stack.enter_async_context(running(app, token=token))
        workers = [
            xget_scraper.worker.create_worker(
                scraping, log=log, clock=clock, sources={"x": source}, sessions=Lenders(sandbox.proxy_url)
            ),
            xget_processing.worker.create_worker(ProcessingSettings(**given), log=log),
            xget_storage.worker.create_worker(storing, log=log),
        ]
        stop, works = asyncio.Event(), await stack.enter_async_context(asyncio.TaskGroup())
        for worker in workers:
            works.create_task(worker.run(stop))
        stack.callback(stop.set)
        data = await stack.enter_async_context(
            running(xget_storage.app.create_app(storing, verifier=verifier), token=token)
        )
        yield Thread(sandbox, clock, tasks, data)


async def test_the_history_of_an_observed_post_is_what_happened_to_it(thread: Thread) -> None:
    world = thread.sandbox.world
    post = next(post for post in world.newest if post.kind == "post" and post.created_ms > NOW_MS - DAY * 1000)
    wish = {"query": f"from:{world.authors[post.author_id].handle}", "limit": 1}
    body = {"task_name": "watch", "task_type": "KEYWORD_SEARCH", "parameters": wish}
    made = await thread.tasks.post("/api/v1/tasks", json={**body, "reobserve": ["1d", "2d", "3d", "5d"]})
    task = made.json()["id"]
    await thread.look(task, posts=1, seen=0)
    likes = [thread.likes(post)]

    thread.leap(DAY)
    await thread.look(task, posts=1, looking=0, seen=1)
    likes.append(thread.likes(post))

    thread.leap(DAY / 2)
    edited_at = thread.change(edit=[str(post.id)])
    newer = world.life.edited[post.id]
    thread.leap(DAY / 2)
    await thread.look(task, posts=1, looking=0, seen=2)
    likes_of_newer = thread.likes(newer)

    thread.leap(DAY / 2)
    deleted_at = thread.change(delete=[str(newer.id)])
    thread.leap(DAY / 2)
    await thread.look(task, posts=0, seen=2, gone=1)
    thread.leap(10 * DAY)
    await asyncio.sleep(0.5)
    await thread.look(task, posts=0, seen=2, gone=1)

    first, last = await thread.history(post.id), await thread.history(newer.id)
    assert [sight["metrics"]["likes"] for sight in first["items"]] == likes
    assert likes[0] < likes[1], "it grew"
    assert last["items"][0]["metrics"]["likes"] == likes_of_newer
    assert len({sight["execution_id"] for sight in [*first["items"], *last["items"]]}) == 4, "one look at each age"
    assert first["versions"] == last["versions"]
    assert [(one["key"], one["latest"]) for one in first["versions"]] == [
        (f"x:{post.id}", False), (f"x:{newer.id}", True)
    ]  # fmt: skip
    old, new = first["versions"]
    assert old["text"] != new["text"] == f"{old['text']} (edited)"
    assert moment(old["last_seen"]) <= edited_at <= moment(new["first_seen"])
    assert (first["gone"], last["gone"]) == (None, "deleted")
    assert moment(last["alive_at"]) <= deleted_at <= moment(last["gone_at"])
    shown = (await thread.data.get(f"/api/v1/data/x:{post.id}")).json()
    assert shown["superseded_by"] == f"x:{newer.id}"


def moment(text: str) -> datetime:
    """A time of an answer."""
    return datetime.fromisoformat(text)
