"""A takedown through the whole service: asked for over HTTP, done by the worker, held against all that comes later."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx2 as httpx
import msgspec
import pytest
import zstandard

from xget_contracts.events import FORGOTTEN, PAGES, AuthorForgotten, PageCollected
from xget_events import codec
from xget_kernel.clock import SystemClock
from xget_storage.app import create_app
from xget_storage.ports import SearchQuery
from xget_storage.service.raw import body_of
from xget_storage.service.rebuilding import RebuildService
from xget_storage.settings import Settings
from xget_testing.apps import running
from xget_testing.contracts.documents.takedowns import by, world
from xget_testing.contracts.pages import START, make_author, make_page
from xget_testing.tokens import TokenMaker

DATA = "/api/v1/data"


@pytest.fixture
async def api(settings: Settings, tokens: TokenMaker) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(settings, verifier=tokens.verifier())
    async with running(app, token=tokens.make("root", ("operator",))) as client:
        yield client


def collected(number: int) -> PageCollected:
    """A raw page with a post of author 7 and one of author 8."""
    posts = [
        {"__typename": "Tweet", "rest_id": str(n), "legacy": {"full_text": text, "user_id_str": str(author)}}
        for n, author, text in ((1, 7, "secret one"), (5, 8, "I answer"))
    ]
    return PageCollected(
        execution_id="e1", task_id="t1", owner_id="owner-1", page_no=number, platform="x", route="x_session",
        task_type="KEYWORD_SEARCH", operation="SearchTimeline", fetched_at=START, sha256="00",
        body_zstd=zstandard.compress(msgspec.json.encode(posts)),
    )  # fmt: skip


async def collect(line: Any, number: int) -> None:
    """A raw page and what was parsed of it, through their topics."""
    message = codec.message(PAGES, "e1", collected(number), source="test", now=SystemClock().now())
    await line.log.publish([message])
    await line.send([make_page(number, world(), authors=[make_author(7), make_author(8)])])

    async def kept() -> bool:
        return await line.stores.raw_pages.get("e1", number) is not None

    await line.until(kept)


async def ended(api: httpx.AsyncClient, line: Any) -> dict[str, Any]:
    """The takedown after its first sweep."""
    found: dict[str, Any] = {}

    async def swept() -> bool:
        found.update((await api.get(f"{DATA}/forgotten/x:7")).json())
        return bool(found["state"] == "checking")

    async with asyncio.timeout(60):
        while not await swept():  # noqa: ASYNC110 - the worker has no event for it
            await asyncio.sleep(0.1)
    return found


async def searched(line: Any, text: str) -> int:
    return int((await line.stores.search.search(SearchQuery(text=text))).total)


async def test_an_author_is_gone_from_everywhere_and_stays_away(api: httpx.AsyncClient, line: Any) -> None:
    await collect(line, 1)
    assert await searched(line, "secret") == 5
    asked = await api.delete(f"{DATA}/authors/x:7", params={"reason": "asked by mail"})
    assert (asked.status_code, asked.json()["state"], asked.json()["active"]) == (202, "running", True)
    done = await ended(api, line)
    assert (done["items"], done["reposts"], done["raw_pages"]) == (3, 2, 1)
    (note,) = done["notes"]
    assert (note["action"], note["actor"], note["reason"]) == ("forget", "root", "asked by mail")
    await collect(line, 2)

    async def unsearchable() -> bool:
        return await searched(line, "secret") == 0

    await line.until(unsearchable)
    await RebuildService(line.stores.documents, line.stores.search).run(lambda _: None)
    assert await searched(line, "secret") == 0
    assert await searched(line, "answer") == 1
    for number in (1, 2):
        page = await line.stores.raw_pages.get("e1", number)
        assert (b"secret" in body_of(page), b"I answer" in body_of(page), page.forgotten) == (False, True, True)
    assert (await api.get(f"{DATA}/forgotten")).json()["items"][0]["author_key"] == "x:7"


async def test_others_are_told_and_a_ban_can_be_lifted(api: httpx.AsyncClient, line: Any) -> None:
    await api.delete(f"{DATA}/authors/x:7")
    async with line.log.consumer("test-forgotten", [FORGOTTEN]) as consumer:
        await ended(api, line)
        lifted = (await api.delete(f"{DATA}/forgotten/x:7", params={"reason": "a mistake"})).json()
        assert (lifted["state"], lifted["active"], [one["action"] for one in lifted["notes"]]) == (
            "lifted", False, ["forget", "lift"],
        )  # fmt: skip
        told: list[AuthorForgotten] = []
        async with asyncio.timeout(60):
            while not told or not told[-1].lifted:
                records = await consumer.poll(timeout=0.2)
                told += [codec.decode(record, AuthorForgotten) for record in records]
                await consumer.commit(records)
    assert (told[0].author_key, told[0].author_id, told[0].lifted) == ("x:7", "7", False)
    assert (await api.delete(f"{DATA}/forgotten/x:7")).json() == lifted
    await line.send([make_page(1, [by(7, 1)])])
    assert await line.stores.documents.get("x:1", None) is not None


async def test_an_author_who_may_be_collected_again_is_found_again(api: httpx.AsyncClient, line: Any) -> None:
    await collect(line, 1)
    await api.delete(f"{DATA}/authors/x:7")
    await ended(api, line)
    await api.delete(f"{DATA}/forgotten/x:7")

    async def unsearchable() -> bool:
        return await searched(line, "secret") == 0

    await line.until(unsearchable)
    now = SystemClock().now()
    page = msgspec.structs.replace(make_page(2, world()), execution_id="e2", fetched_at=now)
    (stored,) = await line.send([page])
    assert (stored.new, stored.matched) == (3, 8)
    assert await searched(line, "secret") == 5
    found = await line.stores.documents.get("x:1", "owner-1")
    assert (found.text, found.first_seen) == ("secret one", now)
    await RebuildService(line.stores.documents, line.stores.search).run(lambda _: None)
    assert await searched(line, "secret") == 5


async def test_who_may_not_is_refused(api: httpx.AsyncClient, tokens: TokenMaker) -> None:
    analyst = {"Authorization": f"Bearer {tokens.make('owner-1', ('analyst',))}"}
    for method, path in (("DELETE", "authors/x:7"), ("GET", "forgotten"), ("GET", "forgotten/x:7")):
        assert (await api.request(method, f"{DATA}/{path}", headers=analyst)).status_code == 403
    assert (await api.delete(f"{DATA}/forgotten/x:7", headers=analyst)).status_code == 403
    assert (await api.get(f"{DATA}/forgotten/x:7")).json()["type"] == "urn:xget:error:takedown_not_found"
    assert (await api.delete(f"{DATA}/forgotten/x:7")).status_code == 404
    for key in ("7", "@user7", "x:", "X:7", "x:a b", "x:7:8"):
        assert (await api.delete(f"{DATA}/authors/{key}")).status_code == 422


async def test_nobody_brings_a_post_of_theirs_by_hand(
    api: httpx.AsyncClient, settings: Settings, tokens: TokenMaker
) -> None:
    await api.delete(f"{DATA}/authors/x:7")
    writer = {"Authorization": f"Bearer {tokens.make('owner-1', ('analyst',))}"}
    body = {"platform": "x", "author_id": "7", "text": "secret"}
    assert (await api.post(DATA, json=body, headers=writer)).json()["type"] == "urn:xget:error:author_forgotten"
    assert (await api.post(f"{DATA}/batch", json={"items": [body]}, headers=writer)).status_code == 409
    assert (await api.post(DATA, json={**body, "author_id": "8"}, headers=writer)).status_code == 201


async def test_a_page_without_the_author_is_kept_as_received(api: httpx.AsyncClient, line: Any) -> None:
    await api.delete(f"{DATA}/authors/x:99")
    await collect(line, 1)
    page = await line.stores.raw_pages.get("e1", 1)
    assert (page.forgotten, page.sha256) == (False, "00")
