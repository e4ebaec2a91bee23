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


async def events(client: httpx.AsyncClient, task_id: str, **headers: str) -> list[dict[str, Any]]:
    """All events of a stream until it ends, with kind and id."""
    found: list[dict[str, Any]] = []
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
    async def take_time(_index: int) -> None:
        await asyncio.sleep(0.05)

    world.source.before = take_time
    app = create_app(settings, log=log, verifier=tokens.verifier(), sources={"x": world.source})
    async with serving(app, token=tokens.make("ada", ["analyst"])) as client:
        task = (
            await client.post(
                "/api/v1/tasks",
                json={"task_name": "AI", "task_type": "SEARCH", "parameters": {"query": "AI", "limit": 40}},
            )
        ).json()
        async with world.worker():
            seen = await asyncio.wait_for(events(client, task["id"]), 15)
        assert (seen[0]["event"], seen[0]["status"], seen[0]["limit"]) == ("progress", "PENDING", 40)
        assert (seen[-1]["event"], seen[-1]["status"], seen[-1]["end_reason"]) == ("end", "COMPLETED", "limit_reached")
        assert [e["result_count"] for e in seen] == sorted(e["result_count"] for e in seen)
        assert len({e["progress"] for e in seen}) > 2
        ids = [int(e["id"]) for e in seen[:-1]]
        assert ids == sorted(set(ids))

        again = await events(client, task["id"], **{"Last-Event-ID": str(ids[0])})
    assert [(e["event"], e["id"]) for e in again] == [("progress", seen[-1]["id"]), ("end", seen[-1]["id"])]
