"""The stream of a task's progress."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx2 as httpx

from xget_events.sqlite import SqliteEventLog
from xget_scraper.app import create_app
from xget_scraper.settings import Settings
from xget_testing.apps import serving
from xget_testing.collecting import World
from xget_testing.tokens import TokenMaker


async def events(
    client: httpx.AsyncClient, task_id: str, found: list[dict[str, Any]], **headers: str
) -> list[dict[str, Any]]:
    """All events of a stream until it ends, with kind and id; `found` has them as they come."""
    async with client.stream("GET", f"/api/v1/tasks/{task_id}/events", headers=headers) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        fields: dict[str, str] = {}
        async for line in answer.aiter_lines():
            name, _, value = line.partition(": ")
            fields[name] = value
            if not line and "data" in fields:
                found.append({"event": fields["event"], "id": fields["id"], **json.loads(fields["data"])})
                fields = {}
    return found


async def test_a_stream_tells_from_now_to_the_end(
    world: World, settings: Settings, log: SqliteEventLog, tokens: TokenMaker
) -> None:
    seen: list[dict[str, Any]] = []

    async def told_of_pages(index: int) -> None:
        """A page is made when the stream has told of those before it."""
        while len({event["progress"] for event in seen}) <= index // 10:  # noqa: ASYNC110 - a list has no event
            await asyncio.sleep(0.01)

    world.source.before = told_of_pages
    app = create_app(settings, log=log, verifier=tokens.verifier(), sources={"x": world.source})
    async with serving(app, token=tokens.make("ada", ["analyst"])) as client:
        task = (
            await client.post(
                "/api/v1/tasks",
                json={"task_name": "AI", "task_type": "SEARCH", "parameters": {"query": "AI", "limit": 40}},
            )
        ).json()
        streaming = asyncio.create_task(events(client, task["id"], seen))
        async with asyncio.timeout(60):
            while not seen:  # noqa: ASYNC110 - a list has no event
                await asyncio.sleep(0.01)
            async with world.worker():
                await streaming
        assert (seen[0]["event"], seen[0]["status"], seen[0]["limit"]) == ("progress", "PENDING", 40)
        assert (seen[-1]["event"], seen[-1]["status"], seen[-1]["end_reason"]) == ("end", "COMPLETED", "limit_reached")
        assert [e["result_count"] for e in seen] == sorted(e["result_count"] for e in seen)
        assert len({e["progress"] for e in seen}) > 2
        ids = [int(e["id"]) for e in seen[:-1]]
        assert ids == sorted(set(ids))

        again = await events(client, task["id"], [], **{"Last-Event-ID": str(ids[0])})
    assert [(e["event"], e["id"]) for e in again] == [("progress", seen[-1]["id"]), ("end", seen[-1]["id"])]
