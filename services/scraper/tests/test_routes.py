"""Several routes to one platform: the next goes on when one is shut, below what was seen, and nothing is doubled."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2 as httpx
import pytest
from fastapi import FastAPI
from msgspec import structs

import xget_scraper.worker
from xget_kernel.clock import Clock
from xget_scraper.app import create_app
from xget_scraper.settings import Settings
from xget_sources.ports import CollectRequest, NoAccount, NotOffered, RawPage, Session, SourceStopped, TaskTypeSpec
from xget_testing.collecting import Asked, LeapClock, TimelineSource, World, crashing_database, posts_over
from xget_testing.tokens import TokenMaker

START = datetime(2026, 1, 1, tzinfo=UTC)
END = START + timedelta(days=10)
POSTS = posts_over(START, END, 120, seed=3)
SERVED = ("KEYWORD_SEARCH", "USER_TWEETS")


class Route(TimelineSource):
    """One route. `shut` says by the number of the page why it gives nothing there; `reach` is how far back it goes."""

    def __init__(self, route: str, posts: Any = POSTS) -> None:
        super().__init__(posts, page_size=10)
        self.route = route
        self.ends = "window_covered"
        self.shut: dict[int, Exception] = {}
        self.reach: datetime | None = None
        self.before = self._before
        if route == "x_api":
            self.task_types: Mapping[str, TaskTypeSpec] = {name: self.task_types[name] for name in SERVED}

    async def _before(self, asked: Asked) -> None:
        for page, why in self.shut.items():
            if len(self.asked) >= page:
                raise why

    def preview(self, task_type: str, parameters: Mapping[str, Any]) -> Any:
        if task_type not in self.task_types:
            raise NotOffered(f"The API has nothing for {task_type}.")
        return super().preview(task_type, parameters)

    async def collect(self, request: CollectRequest, session: Session, cursor: str | None) -> AsyncGenerator[RawPage]:
        if self.reach is not None and request.until is not None and request.until <= self.reach:
            raise NotOffered("It goes back some days only.")
        assert cursor is None or cursor.startswith(self.route), "a cursor of another route means nothing here"
        plain = cursor.removeprefix(self.route) if cursor else None
        since = max(filter(None, (request.since, self.reach)), default=None)
        async for page in super().collect(structs.replace(request, since=since), session, plain):
            marked = f"{self.route}{page.cursor_out}" if page.cursor_out else None
            ends = {"end_reason": "reach_ended", "reach": self.reach} if page.end_reason and self.reach else {}
            yield structs.replace(page, cursor_out=marked, **ends)


@pytest.fixture
def web() -> Route:
    return Route("x_session")


@pytest.fixture
def api() -> Route:
    return Route("x_api")


@pytest.fixture
def both(web: Route, api: Route) -> dict[str, Route]:
    return {"x_session": web, "x_api": api}


@pytest.fixture
def app(settings: Settings, log: Any, tokens: TokenMaker, both: dict[str, Any]) -> FastAPI:
    return create_app(settings, log=log, verifier=tokens.verifier(), sources=both)


async def made(world: World, routes: list[str], **more: Any) -> dict[str, Any]:
    body = {
        "task_name": "t", "task_type": "KEYWORD_SEARCH", "routes": routes,
        "parameters": {"query": "AI", "since": START.isoformat(), "until": END.isoformat(), **more},
    }  # fmt: skip
    answer = await world.client.post("/api/v1/tasks", json=body)
    assert answer.status_code == 201, answer.text
    task: dict[str, Any] = answer.json()
    assert task["routes"] == routes
    return task


async def ended(world: World, task: dict[str, Any], both: Any, clock: Clock | None = None) -> dict[str, Any]:
    async with world.worker(sources=both, clock=clock):
        status = await world.until(task, seconds=60)
    run = status["execution"]["id"]
    certificate = await world.certificate(status)
    keys = world.storage.keys(run)
    assert certificate["counts"]["matched"] == len(keys) == len(set(keys))
    return {**certificate, "keys": sorted(keys)}


ALL = sorted(key for key, _ in POSTS)
SHUT = (
    NoAccount("All rest.", datetime.now(UTC) + timedelta(days=1)),
    NoAccount("There is no account.", None),
    SourceStopped("blocked", "A wall."),
)


@pytest.mark.parametrize("why", SHUT, ids=["rests", "none", "blocked"])
async def test_the_next_route_goes_on_below_what_was_seen(
    world: World, both: dict[str, Any], web: Route, api: Route, why: Exception
) -> None:
    web.shut[5] = why
    found = await ended(world, await made(world, ["x_session", "x_api"]), both)
    assert found["keys"] == ALL
    assert (found["end_reason"], found["complete"]) == ("window_covered", True)
    assert [(use["route"], use["pages"]) for use in found["by_route"]][1] == ("x_session", 4)
    assert [(turn["from"], turn["to"], turn["page"]) for turn in found["failovers"]] == [("x_session", "x_api", 5)]
    assert found["failovers"][0]["why"] == (why.detail if isinstance(why, (NoAccount, SourceStopped)) else "")
    assert api.asked[0].until is not None
    assert api.asked[0].until < END, "what was seen is not paid for again"
    assert len(api.asked) < 12


@pytest.mark.parametrize(
    ("why", "tries"),
    [
        (SourceStopped("source_error", "It is busy (HTTP 503).", retryable=True), 3),
        (SourceStopped("source_error", "Nobody knows the answer."), 1),
    ],
    ids=["busy", "unknown"],
)
async def test_a_page_that_fails_again_and_again_is_asked_for_by_the_next_route(
    world: World, both: dict[str, Any], *, web: Route, api: Route, why: Exception, tries: int
) -> None:
    web.shut[5] = why
    found = await ended(world, await made(world, ["x_session", "x_api"]), both)
    assert (found["keys"], found["end_reason"], found["complete"]) == (ALL, "window_covered", True)
    assert len(web.asked) == 4 + tries
    (turn,) = found["failovers"]
    assert (turn["from"], turn["to"], turn["page"]) == ("x_session", "x_api", 5)
    assert ("failed 3 times in a row" if tries == 3 else "Nobody knows") in turn["why"]
    assert {use["route"] for use in found["by_route"]} == {"x_session", "x_api"}
    assert api.asked[0].until is not None
    assert api.asked[0].until < END


@pytest.mark.parametrize("retryable", [True, False])
async def test_when_all_routes_fail_the_end_is_typed(
    world: World, both: dict[str, Any], web: Route, api: Route, *, retryable: bool
) -> None:
    page = 0 if retryable else 5
    web.shut[page] = SourceStopped("source_error", "The web is broken.", retryable=retryable)
    api.shut[page] = KeyError("a bug") if retryable else SourceStopped("source_error", "The API is broken.")
    found = await ended(world, await made(world, ["x_session", "x_api"]), both)
    assert (found["status"], found["end_reason"], found["complete"]) == ("FAILED", "source_error", False)
    assert ("(KeyError)" if retryable else "The API is broken.") in found["sentence"]
    assert (len(web.asked), len(api.asked)) == (3, 3) if retryable else found["counts"]["matched"] > 40


async def test_a_short_rest_is_waited_for(world: World, both: dict[str, Any], web: Route, api: Route) -> None:
    web.shut[3] = NoAccount("All rest.", datetime.now(UTC) + timedelta(seconds=1))
    task = await made(world, ["x_session", "x_api"])
    async with world.worker(sources=both):
        await world.once(task, lambda found: found["execution"]["resume_at"] is not None)
        web.shut.clear()
        await world.until(task, seconds=60)
    assert api.asked == []


async def test_all_shut_waits_for_the_first_that_opens(
    world: World, both: dict[str, Any], web: Route, api: Route
) -> None:
    web.shut[4] = NoAccount("All rest.", datetime.now(UTC) + timedelta(hours=9))
    api.shut[3] = NoAccount("The month's money is spent.", datetime.now(UTC) + timedelta(minutes=2))
    task = await made(world, ["x_session", "x_api"])
    async with world.worker(sources=both):
        status = await world.once(task, lambda found: found["execution"]["resume_at"] is not None)
    assert "money is spent" in status["message"]


async def test_what_a_route_does_not_reach_the_next_one_has(
    world: World, both: dict[str, Any], web: Route, api: Route
) -> None:
    api.reach = END - timedelta(days=3)
    found = await ended(world, await made(world, ["x_api", "x_session"]), both)
    assert (found["keys"], found["complete"]) == (ALL, True)
    assert max(asked.until for asked in web.asked if asked.until) <= api.reach


async def test_what_no_route_reaches_is_a_gap_and_said(world: World, both: dict[str, Any], api: Route) -> None:
    api.reach = END - timedelta(days=3)
    found = await ended(world, await made(world, ["x_api"]), both)
    assert found["keys"] == sorted(key for key, at in POSTS if at >= api.reach)
    assert (found["complete"], found["end_reason"]) == (False, "stalled")
    assert "reaches no further back" in found["sentence"]
    gap = found["gaps"][0]
    assert (datetime.fromisoformat(gap["since"]), datetime.fromisoformat(gap["until"])) == (START, api.reach)


@pytest.mark.slow
@pytest.mark.parametrize(("transaction", "committed"), [(10, False), (10, True)])
async def test_a_death_around_a_failover_loses_and_doubles_nothing(
    world: World, both: dict[str, Any], web: Route, *, transaction: int, committed: bool
) -> None:
    web.shut[5] = SourceStopped("blocked", "A wall.")
    task = await made(world, ["x_session", "x_api"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(xget_scraper.worker, "Database", crashing_database(transaction, committed=committed))
        async with world.worker(sources=both) as worker:
            ending = asyncio.create_task(world.until(task, seconds=60))
            await asyncio.wait({worker, ending}, return_when=asyncio.FIRST_COMPLETED)
            ending.cancel()
            await asyncio.gather(ending, return_exceptions=True)
    clock = LeapClock()
    clock.leap(120)  # the lease of the dead, less than a wall lasts
    found = await ended(world, task, both, clock)
    assert found["keys"] == ALL
    assert [(turn["from"], turn["to"]) for turn in found["failovers"]] == [("x_session", "x_api")]


@pytest.mark.parametrize(
    ("routes", "task_type", "words"),
    [
        (["x_web"], "KEYWORD_SEARCH", "There is no route 'x_web' to x; there are: x_api, x_session."),
        (["x_api"], "TRENDS", "The API has nothing for TRENDS."),
        (["x_api", "x_api"], "KEYWORD_SEARCH", "each route once"),
        ([], "KEYWORD_SEARCH", "at least 1 item"),
    ],
)
async def test_routes_that_lead_nowhere_are_refused(
    client: httpx.AsyncClient, routes: list[str], task_type: str, words: str
) -> None:
    parameters = {} if task_type == "TRENDS" else {"query": "AI"}
    body = {"task_name": "t", "task_type": task_type, "routes": routes, "parameters": parameters}
    refused = await client.post("/api/v1/tasks", json=body)
    assert refused.status_code == 422
    assert words in refused.text
    fine = await client.post("/api/v1/tasks/preview", json={
        "task_type": "TRENDS", "routes": ["x_session", "x_api"], "parameters": {},
    })  # fmt: skip
    assert "The route x_api is passed over: The API has nothing for TRENDS." in fine.json()["warnings"]
