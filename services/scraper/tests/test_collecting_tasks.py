"""From a created task to its certificate, through the real app, worker and log."""

from __future__ import annotations

import asyncio

import pytest

from xget_events.sqlite import SqliteEventLog
from xget_scraper.app import create_app
from xget_scraper.settings import Settings
from xget_scraper.worker import create_worker
from xget_testing.apps import running
from xget_testing.collecting import FakeSessions, ListSource, World
from xget_testing.tokens import TokenMaker

pytestmark = pytest.mark.slow


async def test_a_task_runs_to_its_certificate(world: World) -> None:
    async with world.worker():
        task = await world.create()
        status = await world.until(task)
    assert (status["status"], status["progress"], status["result_count"]) == ("COMPLETED", 100, 45)
    certificate = await world.certificate(status)
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
    assert world.storage.keys(status["execution"]["id"]) == sorted(world.source.keys)


async def test_the_limit_counts_matches_and_cuts_the_last_page(world: World) -> None:
    async with world.worker():
        status = await world.until(await world.create(parameters={"query": "AI", "limit": 25}))
    certificate = await world.certificate(status)
    assert certificate["end_reason"] == "limit_reached"
    assert certificate["complete"] is True
    assert certificate["counts"]["matched"] == 25
    assert certificate["counts"]["context"] == 5
    assert len(world.storage.keys(status["execution"]["id"])) == 25


async def test_an_entry_that_comes_again_is_a_match_once(world: World) -> None:
    world.source.keys = [f"x:{n}" for n in range(1, 21)] + [f"x:{n}" for n in range(15, 31)]
    async with world.worker():
        status = await world.until(await world.create())
    certificate = await world.certificate(status)
    assert certificate["counts"]["matched"] == 30
    assert certificate["counts"]["duplicate"] == 6


async def test_a_source_gets_parameters_without_the_limit(world: World) -> None:
    async with world.worker():
        await world.until(await world.create(parameters={"query": "AI", "limit": 5, "since": "2026-01-01"}))
    assert "limit" not in world.source.requests[0].parameters
    assert world.source.requests[0].parameters["since"].year == 2026


async def test_a_second_start_collects_again_and_knows_everything(world: World) -> None:
    async with world.worker():
        task = await world.create()
        first = await world.until(task)
        assert (await world.client.post(f"/api/v1/tasks/{task['id']}/start")).status_code == 202
        second = await world.until(task)
    assert second["execution"]["id"] != first["execution"]["id"]
    assert second["execution"]["counts"]["unchanged"] == 45
    runs = (await world.client.get(f"/api/v1/task-executions/task/{task['id']}")).json()
    assert [run["id"] for run in runs["items"]] == [second["execution"]["id"], first["execution"]["id"]]


async def test_a_task_that_is_not_immediate_waits_for_its_start(world: World) -> None:
    async with world.worker():
        task = await world.create(immediate=False)
        await asyncio.sleep(0.3)
        assert (await world.client.get(f"/api/v1/tasks/{task['id']}")).json()["status"] == "PENDING"
        await world.client.post(f"/api/v1/tasks/{task['id']}/start")
        assert (await world.until(task))["status"] == "COMPLETED"


async def test_an_execution_ends_only_when_every_page_is_stored(world: World) -> None:
    world.storage.paused.clear()
    async with world.worker():
        task = await world.create()
        await world.once(task, lambda found: found["execution"]["end_reason"] == "exhausted")
        await asyncio.sleep(0.3)
        status = await world.until(task, "RUNNING")
        early = await world.client.get(f"/api/v1/task-executions/{status['execution']['id']}/certificate")
        assert early.status_code == 409
        assert "every page is stored" in early.json()["detail"]
        world.storage.paused.set()
        assert (await world.until(task))["status"] == "COMPLETED"


async def test_the_best_waiting_execution_is_claimed_first(world: World) -> None:
    names = {}
    for name, priority, immediate in (("late", 9, True), ("manual", 1, False), ("first", 2, True)):
        task = await world.create(task_name=name, priority=priority, immediate=immediate, parameters={"query": name})
        names[name] = task
    one = world.settings.model_copy(update={"scraper_concurrency": 1})
    async with world.worker(settings=one):
        await world.until(names["late"])
    order = [request.parameters["query"] for request in world.source.requests]
    assert order == ["first", "late"]


async def test_a_stop_is_honoured_within_one_page(world: World) -> None:
    reached, gate = asyncio.Event(), asyncio.Event()

    async def wait_at_20(index: int) -> None:
        if index == 20:
            reached.set()
            await gate.wait()

    world.source.before = wait_at_20
    async with world.worker():
        task = await world.create()
        await reached.wait()
        assert (await world.client.post(f"/api/v1/tasks/{task['id']}/stop")).status_code == 202
        gate.set()
        status = await world.until(task)
    assert status["status"] == "STOPPED"
    assert world.source.requested[-1] == 20
    certificate = await world.certificate(status)
    assert certificate["end_reason"] == "cancelled"
    assert certificate["complete"] is False
    assert certificate["counts"]["matched"] == 30


async def test_a_queued_execution_stops_at_once_without_a_worker(world: World) -> None:
    task = await world.create()
    await world.client.post(f"/api/v1/tasks/{task['id']}/stop")
    status = await world.until(task)
    assert status["status"] == "STOPPED"
    assert (await world.certificate(status))["pages"] == 0


async def test_an_execution_starts_soon_after_the_post(world: World) -> None:
    slow_poll = world.settings.model_copy(update={"scraper_poll_seconds": 60.0})
    async with world.worker(settings=slow_poll):
        await asyncio.sleep(0.3)
        task = await world.create()
        await world.until(task, "RUNNING", "COMPLETED", seconds=40)  # it is told: to look takes a minute
        await world.until(task)


async def test_topics_may_have_other_names(
    settings: Settings, log: SqliteEventLog, tokens: TokenMaker, source: ListSource, sessions: FakeSessions
) -> None:
    own = settings.model_copy(
        update={"kafka_topic_tasks": "own.tasks", "scraper_poll_seconds": 30.0, "scraper_lease_seconds": 30.0}
    )
    app = create_app(own, log=log, verifier=tokens.verifier(), sources={"x": source})
    stop = asyncio.Event()
    async with running(app, token=tokens.make("ada")) as client:
        assert (await client.get("/readyz")).status_code == 200
        worker = create_worker(own, log=log, sources={"x": source}, sessions=sessions)
        working = asyncio.create_task(worker.run(stop))
        body = {"task_name": "AI", "task_type": "SEARCH", "parameters": {"query": "AI"}}
        task = (await client.post("/api/v1/tasks", json=body)).json()
        path = f"/api/v1/task-executions/{task['execution_id']}"
        async with asyncio.timeout(60):
            while (await client.get(path)).json()["collected"] < 45:  # noqa: ASYNC110 - seen from outside
                await asyncio.sleep(0.02)
            while await log.lag("scraper-workers") != {"own.tasks": 0}:  # noqa: ASYNC110 - seen from outside
                await asyncio.sleep(0.02)
        stop.set()
        await working
