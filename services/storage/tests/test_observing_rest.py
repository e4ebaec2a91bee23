"""How items were seen, over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2 as httpx
import msgspec
import pytest
import zstandard

from xget_contracts.items import Item, Metrics
from xget_kernel.clock import SystemClock
from xget_storage.adapters.stores import Stores
from xget_storage.app import create_app
from xget_storage.models import RawPage
from xget_storage.settings import Settings
from xget_testing.apps import running
from xget_testing.contracts.pages import START, make_item, make_page
from xget_testing.tokens import TokenMaker

DATA = "/api/v1/data"


@pytest.fixture
async def api(settings: Settings, tokens: TokenMaker) -> AsyncIterator[httpx.AsyncClient]:
    async with Stores.opened(settings) as stores:
        for n in range(5):
            page = make_page(n + 1, [make_item(1, metrics=Metrics(likes=n))], execution_id=f"e{n}", after=60 * n)
            await stores.documents.store_pages([page], START)
    app = create_app(settings, verifier=tokens.verifier())
    async with running(app, token=tokens.make("owner-1")) as client:
        yield client


async def test_a_history_is_listed_in_either_order_by_cursor(api: httpx.AsyncClient) -> None:
    newest = (await api.get(f"{DATA}/x:1/history", params={"size": 3})).json()
    assert [one["metrics"] for one in newest["items"]] == [{"likes": 4}, {"likes": 3}, {"likes": 2}]
    rest = (await api.get(f"{DATA}/x:1/history", params={"size": 3, "cursor": newest["next_cursor"]})).json()
    assert ([one["execution_id"] for one in rest["items"]], rest["next_cursor"]) == (["e1", "e0"], None)
    oldest = (await api.get(f"{DATA}/x:1/history", params={"sort": "oldest"})).json()["items"]
    assert oldest[0] == {
        "seen_at": "2026-07-01T12:00:00Z", "task_id": "t1", "execution_id": "e0", "owner_id": "owner-1", "page_no": 1,
        "role": "match", "metrics": {"likes": 0},
    }  # fmt: skip
    assert (await api.get(f"{DATA}/x:1/history", params={"cursor": "bm8"})).status_code == 422


async def test_a_history_is_its_owners(api: httpx.AsyncClient, tokens: TokenMaker) -> None:
    other = {"Authorization": f"Bearer {tokens.make('owner-2')}"}
    answer = await api.get(f"{DATA}/x:1/history", headers=other)
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:xget:error:item_not_found")


def raw_page(execution: str, number: int, likes: int, *, owner: str = "owner-1") -> RawPage:
    legacy = {"full_text": "post 1", "user_id_str": "7", "favorite_count": likes}
    body = {"data": [{"entries": [{"__typename": "Tweet", "rest_id": "1", "legacy": legacy}]}]}
    return RawPage(
        execution_id=execution, page_no=number, task_id="t1", owner_id=owner, platform="x", operation="SearchTimeline",
        fetched_at=START, sha256="00", body_zstd=zstandard.compress(msgspec.json.encode(body)),
    )  # fmt: skip


async def keep(settings: Settings, *pages: RawPage) -> None:
    async with Stores.opened(settings) as stores:
        await stores.raw_pages.put(pages, START)


async def test_the_record_of_an_item_is_cut_out_of_the_page_that_showed_it_last(
    api: httpx.AsyncClient, settings: Settings
) -> None:
    await keep(settings, raw_page("e2", 3, 2), raw_page("e3", 4, 3))
    found = (await api.get(f"{DATA}/x:1/raw")).json()
    assert (found["path"], found["record"]["legacy"]["favorite_count"]) == ("data[0].entries[0]", 3)
    assert (found["page"]["execution_id"], found["page"]["page_no"]) == ("e3", 4)
    older = (await api.get(f"{DATA}/x:1/raw", params={"page": "e2/3"})).json()
    assert older["record"]["legacy"]["favorite_count"] == 2


async def test_a_raw_record_that_is_not_there_is_told_why(api: httpx.AsyncClient, settings: Settings) -> None:
    gone = await api.get(f"{DATA}/x:1/raw")
    assert (gone.status_code, gone.json()["type"]) == (410, "urn:xget:error:raw_gone")
    assert "XGET_RAW_PAGE_DAYS" in gone.json()["detail"]
    mine = (await api.post(DATA, json={"text": "a"})).json()["key"]
    brought = await api.get(f"{DATA}/{mine}/raw")
    assert (brought.status_code, brought.json()["type"]) == (404, "urn:xget:error:raw_not_found")
    await keep(settings, raw_page("e8", 1, 1, owner="owner-2"))
    assert (await api.get(f"{DATA}/x:1/raw", params={"page": "e8/1"})).status_code == 404
    assert (await api.get(f"{DATA}/x:404/raw")).json()["type"] == "urn:xget:error:item_not_found"
    for page in ("e1", "e1/0", "e1/x", "/1", "e1/1/", "e 1/1", "e1/99999999999"):
        assert (await api.get(f"{DATA}/x:1/raw", params={"page": page})).status_code == 422


async def test_a_page_that_is_not_kept_yet_may_be_asked_for_again(settings: Settings, tokens: TokenMaker) -> None:
    async with Stores.opened(settings) as stores:
        page = make_page(1, [make_item(1)], fetched_at=SystemClock().now())
        await stores.documents.store_pages([page], START)
    async with running(create_app(settings, verifier=tokens.verifier()), token=tokens.make("owner-1")) as client:
        answer = await client.get(f"{DATA}/x:1/raw")
    assert (answer.status_code, "again" in answer.json()["detail"]) == (404, True)


async def test_a_history_names_the_versions_of_an_edited_post_from_any_of_them(
    settings: Settings, tokens: TokenMaker
) -> None:
    ids = ["1", "2", "3"]
    first = make_item(1, text="a", extra={"edit": {"ids": ["1"], "until_ms": 1_782_907_200_000}})
    last = make_item(3, text="c", extra={"edit": {"ids": ids}})
    async with Stores.opened(settings) as stores:
        for n, item in enumerate((first, last)):
            await stores.documents.store_pages([make_page(1, [item], execution_id=f"e{n}", after=60 * n)], START)
    async with running(create_app(settings, verifier=tokens.verifier()), token=tokens.make("owner-1")) as client:
        told = [(await client.get(f"{DATA}/{key}/history")).json() for key in ("x:1", "x:3")]
        marks = [(await client.get(f"{DATA}/{key}")).json()["superseded_by"] for key in ("x:1", "x:3")]
    assert told[0]["versions"] == told[1]["versions"]
    assert [(one["key"], one["text"], one["latest"]) for one in told[0]["versions"]] == [
        ("x:1", "a", False), ("x:2", None, False), ("x:3", "c", True)
    ]  # fmt: skip
    assert told[0]["versions"][0]["editable_until"] == "2026-07-01T12:00:00Z"
    assert told[0]["versions"][2]["first_seen"] == "2026-07-01T12:01:00Z"
    assert marks == ["x:3", None]


async def test_a_history_tells_how_a_text_changed_and_when_the_post_went(
    settings: Settings, tokens: TokenMaker
) -> None:
    key = "mastodon:1"
    shown = [make_item(1, key=key, platform="mastodon", text=text) for text in "ab"]
    gone = Item(key=key, platform="mastodon", native_id="1", gone="deleted")
    async with Stores.opened(settings) as stores:
        for n, item in enumerate([*shown, gone]):
            await stores.documents.store_pages([make_page(1, [item], execution_id=f"e{n}", after=60 * n)], START)
    async with running(create_app(settings, verifier=tokens.verifier()), token=tokens.make("owner-1")) as client:
        told = (await client.get(f"{DATA}/{key}/history")).json()
    times = {"last_seen": "2026-07-01T12:00:00Z", "changed_by": "2026-07-01T12:01:00Z"}
    assert (told["versions"], told["revisions"]) == ([], [{"text": "a", **times}])
    assert (told["gone"], told["alive_at"], told["gone_at"]) == (
        "deleted", "2026-07-01T12:01:00Z", "2026-07-01T12:02:00Z"
    )  # fmt: skip
