"""Items over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx2 as httpx
import pytest

from xget_storage.adapters.stores import Stores
from xget_storage.app import create_app
from xget_storage.service.ingest import IndexService
from xget_storage.settings import Settings
from xget_testing.apps import running
from xget_testing.contracts.pages import START, make_author, make_item, make_page
from xget_testing.tokens import TokenMaker

DATA = "/api/v1/data"


@pytest.fixture
async def api(settings: Settings, tokens: TokenMaker) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(settings, verifier=tokens.verifier())
    async with running(app, token=tokens.make("owner-1")) as client:
        yield client


@pytest.fixture
async def collected(settings: Settings) -> None:
    """Six posts of owner-1's task t1, searchable."""
    async with Stores.opened(settings) as stores:
        items = [make_item(n, text=f"AI量子计算 number {n} <b>") for n in range(5)]
        items.append(make_item(5, role="context", lang="zh"))
        answers = await stores.documents.store_pages([make_page(1, items, authors=[make_author(1)])], START)
        await IndexService(stores.documents, stores.search).index(answers[0].keys)


def as_(tokens: TokenMaker, user: str, *roles: str) -> dict[str, str]:
    """Headers of another caller."""
    return {"Authorization": f"Bearer {tokens.make(user, roles or ('analyst',))}"}


@pytest.mark.usefixtures("collected")
async def test_search_answers_items_highlights_counts_and_a_cursor(api: httpx.AsyncClient) -> None:
    params: dict[str, Any] = {"q": "量子", "size": 2, "sort": "newest", "author": "@uSER0"}
    found = (await api.get(f"{DATA}/search", params=params)).json()
    assert found["total"] == 2
    assert found["items"][0]["highlights"] == ["AI<em>量子</em>计算 number 0 &lt;b&gt;"]
    assert found["facets"] == {"lang": {"en": 2}, "author": {"user0": 2}, "day": {"2026-07-01": 2}}
    params = {"q": "number", "size": 3, "highlight": False}
    first = (await api.get(f"{DATA}/search", params=params)).json()
    second = (await api.get(f"{DATA}/search", params={**params, "cursor": first["next_cursor"]})).json()
    assert len({item["key"] for item in first["items"] + second["items"]}) == 5
    assert second["next_cursor"] is None
    assert "highlights" not in first["items"][0]


@pytest.mark.usefixtures("collected")
async def test_lists_by_page_by_cursor_and_by_filter(api: httpx.AsyncClient) -> None:
    page = (await api.get(DATA, params={"page": 2, "size": 4})).json()
    assert [item["key"] for item in page["items"]] == ["x:4", "x:5"]
    assert (page["page"], page["size"], page["total"], page["pages"]) == (2, 4, 6, 2)
    first = (await api.get(DATA, params={"size": 4})).json()
    rest = (await api.get(DATA, params={"size": 4, "cursor": first["next_cursor"]})).json()
    assert rest["items"] == page["items"]
    assert (rest["page"], rest["total"], rest["pages"], rest["next_cursor"]) == (None, None, None, None)
    matches = (await api.get(DATA, params={"task_id": "t1", "role": "match", "lang": "en"})).json()
    assert matches["total"] == 5
    assert (await api.get(DATA, params={"role": "match"})).json()["errors"][0]["field"] == "role"


@pytest.mark.usefixtures("collected")
async def test_other_owners_see_nothing_and_the_same_sentence(api: httpx.AsyncClient, tokens: TokenMaker) -> None:
    other = as_(tokens, "owner-2")
    assert (await api.get(DATA, headers=other)).json()["total"] == 0
    assert (await api.get(DATA, headers=other, params={"task_id": "t1"})).json()["total"] == 0
    assert (await api.get(f"{DATA}/search", headers=other, params={"q": "量子"})).json()["total"] == 0
    for method, path in (("GET", ""), ("PUT", ""), ("DELETE", ""), ("GET", "/audit")):
        body = {"text": "a"} if method == "PUT" else None
        there = await api.request(method, f"{DATA}/x:1{path}", headers=other, json=body)
        missing = await api.request(method, f"{DATA}/x:9999{path}", headers=other, json=body)
        assert (there.status_code, missing.status_code) == (404, 404)
        assert there.json()["detail"].replace("x:1", "") == missing.json()["detail"].replace("x:9999", "")
    admin = as_(tokens, "root", "admin")
    assert (await api.get(DATA, headers=admin)).json()["total"] == 6
    assert (await api.get(f"{DATA}/x:1", headers=admin)).json()["owner_ids"] == ["owner-1"]


@pytest.mark.usefixtures("collected")
async def test_ids_of_other_owners_and_their_tasks_stay_hidden(
    api: httpx.AsyncClient, settings: Settings, tokens: TokenMaker
) -> None:
    async with Stores.opened(settings) as stores:
        page = make_page(1, [make_item(1)], execution_id="e2", task_id="t2", owner_id="owner-2")
        await stores.documents.store_pages([page], START)
    mine = (await api.get(f"{DATA}/x:1")).json()
    assert (mine["owner_ids"], mine["task_ids"]) == (["owner-1"], ["t1"])
    everything = (await api.get(f"{DATA}/x:1", headers=as_(tokens, "root", "admin"))).json()
    assert everything["task_ids"] == ["t1", "t2"]
    refused = await api.put(f"{DATA}/x:1", json={"text": "a"})
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:xget:error:item_shared")


@pytest.mark.usefixtures("collected")
async def test_an_edit_is_searchable_at_once_and_guarded_by_its_etag(api: httpx.AsyncClient) -> None:
    before = await api.get(f"{DATA}/x:1")
    edited = await api.put(f"{DATA}/x:1", json={"text": "火箭 launch"}, headers={"If-Match": before.headers["etag"]})
    assert (edited.json()["text"], edited.json()["edited"]) == ("火箭 launch", ["text"])
    stale = await api.put(f"{DATA}/x:1", json={"text": "b"}, headers={"If-Match": before.headers["etag"]})
    assert stale.status_code == 412
    assert (await api.get(f"{DATA}/search", params={"q": "火箭"})).json()["total"] == 1
    lifted = await api.put(f"{DATA}/x:1", json={"text": None})
    assert lifted.json()["text"] == "AI量子计算 number 1 <b>"
    assert (await api.put(f"{DATA}/x:1", json={})).status_code == 422


@pytest.mark.usefixtures("collected")
async def test_a_deleted_item_is_gone_from_everywhere_but_its_history(api: httpx.AsyncClient) -> None:
    assert (await api.delete(f"{DATA}/x:1")).status_code == 204
    assert (await api.delete(f"{DATA}/x:1")).status_code == 404
    assert (await api.get(f"{DATA}/x:1")).status_code == 404
    assert (await api.get(f"{DATA}/search", params={"q": "量子"})).json()["total"] == 4
    (entry,) = (await api.get(f"{DATA}/x:1/audit")).json()["items"]
    assert (entry["action"], entry["actor"], entry["after"]) == ("delete", "owner-1", None)


async def test_a_users_own_item_is_stored_once_and_is_theirs(api: httpx.AsyncClient, tokens: TokenMaker) -> None:
    body = {"native_id": "note-1", "text": "我的笔记", "created_at": "2026-07-01T08:00:00+08:00", "extra": {"a": [1]}}
    created = await api.post(DATA, json=body)
    item = created.json()
    assert (created.status_code, item["source"], item["owner_ids"]) == (201, "import", ["owner-1"])
    assert item["created_at"] == "2026-07-01T00:00:00Z"
    assert (await api.post(DATA, json=body)).status_code == 409
    other = (await api.post(DATA, json=body, headers=as_(tokens, "owner-2"))).json()
    assert other["key"] != item["key"]
    assert (await api.get(f"{DATA}/search", params={"q": "笔记"})).json()["items"][0]["key"] == item["key"]
    assert (await api.delete(f"{DATA}/{item['key']}")).status_code == 204
    assert (await api.post(DATA, json=body)).status_code == 409


async def test_a_batch_tells_the_outcome_of_each(api: httpx.AsyncClient) -> None:
    items = [{"native_id": "a", "text": "1"}, {"native_id": "a", "text": "2"}, {"text": "3"}]
    report = (await api.post(f"{DATA}/batch", json={"items": items})).json()
    assert (report["created"], report["failed"]) == (2, 1)
    assert [outcome["status"] for outcome in report["items"]] == ["created", "exists", "created"]
    assert (await api.post(f"{DATA}/batch", json={"items": [{"text": ""}] * 1001})).status_code == 422


async def test_the_service_says_that_it_is_ready(api: httpx.AsyncClient) -> None:
    assert (await api.get("/readyz")).json() == {"status": "ready"}


async def test_viewers_read_and_do_not_write(api: httpx.AsyncClient, tokens: TokenMaker) -> None:
    viewer = as_(tokens, "owner-1", "viewer")
    assert (await api.get(DATA, headers=viewer)).status_code == 200
    assert (await api.post(DATA, headers=viewer, json={"text": "a"})).status_code == 403


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"since": "yesterday"}, "since"),
        ({"since": "2026-13-01"}, "since"),
        ({"until": "2026-01-01T00:00:00"}, "until"),
        ({"kind": "song"}, "kind"),
        ({"size": 0}, "size"),
        ({"size": 101}, "size"),
        ({"cursor": "!!"}, "cursor"),
        ({"cursor": "bm8"}, "cursor"),
        ({"author": "a\x00b"}, "author"),
        ({"has_media": "perhaps"}, "has_media"),
    ],
)
@pytest.mark.parametrize("path", ["", "/search"])
async def test_bad_parameters_are_named(api: httpx.AsyncClient, params: dict[str, Any], field: str, path: str) -> None:
    answer = await api.get(DATA + path, params=params)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"text": 5},
        {"text": "a\x00b"},
        {"text": "x" * 100_001},
        {"text": "a", "native_id": "../a"},
        {"text": "a", "created_at": "0001-01-01T00:00:00+23:59"},
        {"text": "a", "extra": {"a": "x" * 70_000}},
        {"text": "a", "url": "javascript:alert(1)"},
        {"text": "a", "owner_id": "root"},
    ],
)
async def test_bad_items_are_refused(api: httpx.AsyncClient, body: dict[str, Any]) -> None:
    assert (await api.post(DATA, json=body)).status_code == 422


@pytest.mark.parametrize("q", ["\x00", "🚀", '"', "NEAR(", "*", "量" * 1000, "a:b OR", "-", "{}^~\\"])
async def test_no_query_is_an_error(api: httpx.AsyncClient, q: str) -> None:
    assert (await api.get(f"{DATA}/search", params={"q": q, "highlight": True})).status_code == 200


@pytest.mark.usefixtures("collected")
async def test_an_author_is_shown_to_who_has_an_item_of_theirs(api: httpx.AsyncClient, tokens: TokenMaker) -> None:
    author = make_author(1)
    found = await api.get(f"{DATA}/authors/{author.key}")
    stranger = await api.get(f"{DATA}/authors/{author.key}", headers=as_(tokens, "stranger"))
    missing = await api.get(f"{DATA}/authors/x:0")
    assert (found.status_code, found.json()["username"]) == (200, author.username)
    assert (stranger.status_code, missing.status_code) == (404, 404)
