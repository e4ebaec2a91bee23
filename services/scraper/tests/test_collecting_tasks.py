"""From a created task to its certificate, through the real app, worker and log."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2 as httpx


async def certificate_of(client: httpx.AsyncClient, execution_id: str) -> dict[str, Any]:
    answer = await client.get(f"/api/v1/task-executions/{execution_id}/certificate")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_a_task_runs_to_its_certificate(client, create, until, start_worker, storage, source, sessions) -> None:
    async with start_worker():
        task = await create()
        status = await until(task)
    assert (status["status"], status["progress"], status["result_count"]) == ("COMPLETED", 100, 45)
    certificate = await certificate_of(client, status["execution"]["id"])
    assert certificate["end_reason"] == "exhausted"
    assert certificate["complete"] is True
    assert certificate["pages"] == 5
    assert certificate["counts"] == {
        "matched": 45,
        "context": 0,
        "new": 45,
        "updated": 0,
        "unchanged": 0,
        "duplicate": 0,
        "quarantined": 0,
    }
    assert certificate["accounts"] == ["account-1"]
    assert certificate["routes"] == ["x"]
    assert certificate["requests"] == 5
    assert (certificate["cursor_first"], certificate["cursor_last"]) == (None, None)
    assert storage.keys(status["execution"]["id"]) == sorted(source.keys)
    assert sessions.held == {}


async def test_the_limit_counts_matches_and_cuts_the_last_page(client, create, until, start_worker, storage) -> None:
    async with start_worker():
        status = await until(await create(parameters={"query": "AI", "limit": 25}))
    certificate = await certificate_of(client, status["execution"]["id"])
    assert certificate["end_reason"] == "limit_reached"
    assert certificate["complete"] is True
    assert certificate["counts"]["matched"] == 25
    assert certificate["counts"]["context"] == 5
    assert len(storage.keys(status["execution"]["id"])) == 25


async def test_an_entry_that_comes_again_is_a_match_once(client, create, until, start_worker, storage, source) -> None:
    source.keys = [f"x:{n}" for n in range(1, 21)] + [f"x:{n}" for n in range(15, 31)]
    async with start_worker():
        status = await until(await create())
    certificate = await certificate_of(client, status["execution"]["id"])
    assert certificate["counts"]["matched"] == 30
    assert certificate["counts"]["duplicate"] == 6


async def test_a_source_gets_parameters_without_the_limit(create, until, start_worker, storage, source) -> None:
    async with start_worker():
        await until(await create(parameters={"query": "AI", "limit": 5, "since": "2026-01-01"}))
    assert "limit" not in source.requests[0].parameters
    assert source.requests[0].parameters["since"].year == 2026


async def test_a_second_start_collects_again_and_knows_everything(client, create, until, start_worker, storage) -> None:
    async with start_worker():
        task = await create()
        first = await until(task)
        assert (await client.post(f"/api/v1/tasks/{task['id']}/start")).status_code == 202
        second = await until(task)
    assert second["execution"]["id"] != first["execution"]["id"]
    assert second["execution"]["counts"]["unchanged"] == 45
    runs = (await client.get(f"/api/v1/task-executions/task/{task['id']}")).json()
    assert [run["id"] for run in runs["items"]] == [second["execution"]["id"], first["execution"]["id"]]


async def test_a_task_that_is_not_immediate_waits_for_its_start(client, create, until, start_worker, storage) -> None:
    async with start_worker():
        task = await create(immediate=False)
        await asyncio.sleep(0.3)
        assert (await client.get(f"/api/v1/tasks/{task['id']}")).json()["status"] == "PENDING"
        await client.post(f"/api/v1/tasks/{task['id']}/start")
        assert (await until(task))["status"] == "COMPLETED"


async def test_an_execution_ends_only_when_every_page_is_stored(client, create, until, start_worker, storage) -> None:
    storage.paused.clear()
    async with start_worker():
        task = await create()
        async with asyncio.timeout(10):
            while (await until(task, "PENDING", "RUNNING"))["execution"]["end_reason"] is None:
                await asyncio.sleep(0.02)
        await asyncio.sleep(0.3)
        status = await until(task, "RUNNING")
        early = await client.get(f"/api/v1/task-executions/{status['execution']['id']}/certificate")
        assert early.status_code == 409
        assert "every page is stored" in early.json()["detail"]
        storage.paused.set()
        assert (await until(task))["status"] == "COMPLETED"


async def test_the_best_waiting_execution_is_claimed_first(
    settings, create, until, start_worker, storage, source
) -> None:
    order = []
    names = {}
    for name, priority, immediate in (("late", 9, True), ("manual", 1, False), ("first", 2, True)):
        task = await create(task_name=name, priority=priority, immediate=immediate, parameters={"query": name})
        names[name] = task
    one = settings.model_copy(update={"scraper_concurrency": 1})
    async with start_worker(settings=one):
        await until(names["late"])
    order = [request.parameters["query"] for request in source.requests]
    assert order == ["first", "late"]


async def test_a_stop_is_honoured_within_one_page(client, create, until, start_worker, storage, source) -> None:
    gate = asyncio.Event()

    async def wait_at_20(index: int) -> None:
        if index == 20:
            await gate.wait()

    source.before = wait_at_20
    async with start_worker():
        task = await create()
        async with asyncio.timeout(10):
            while 20 not in source.requested:
                await asyncio.sleep(0.01)
        assert (await client.post(f"/api/v1/tasks/{task['id']}/stop")).status_code == 202
        gate.set()
        status = await until(task)
    assert status["status"] == "STOPPED"
    assert source.requested[-1] == 20
    certificate = await certificate_of(client, status["execution"]["id"])
    assert certificate["end_reason"] == "cancelled"
    assert certificate["complete"] is False
    assert certificate["counts"]["matched"] == 30


async def test_a_queued_execution_stops_at_once_without_a_worker(client, create, until) -> None:
    task = await create()
    await client.post(f"/api/v1/tasks/{task['id']}/stop")
    status = await until(task, seconds=1)
    assert status["status"] == "STOPPED"
    assert (await certificate_of(client, status["execution"]["id"]))["pages"] == 0


async def test_an_execution_starts_soon_after_the_post(create, until, start_worker, storage, settings) -> None:
    slow_poll = settings.model_copy(update={"scraper_poll_seconds": 5.0})
    async with start_worker(settings=slow_poll):
        await asyncio.sleep(0.3)
        task = await create()
        await until(task, "RUNNING", "COMPLETED", seconds=1)
        await until(task)
