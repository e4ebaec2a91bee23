"""How items were seen, over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2 as httpx
import pytest

from xget_contracts.items import Metrics
from xget_storage.adapters.stores import Stores
from xget_storage.app import create_app
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
