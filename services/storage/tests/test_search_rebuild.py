"""Search is built again from the documents."""

from __future__ import annotations

import pytest

from xget_kernel.errors import StartupError
from xget_kernel.secrets import Secret
from xget_storage.adapters.stores import Stores
from xget_storage.ports import Actor, SearchQuery
from xget_storage.service.rebuilding import Progress
from xget_storage.settings import Settings
from xget_storage.worker import rebuild_search
from xget_testing.contracts.pages import START, make_item, make_page
from xget_testing.own_names import own_names


async def test_a_lost_index_comes_back_whole_beside_a_running_node(settings: Settings) -> None:
    told: list[Progress] = []
    async with Stores.opened(settings) as stores:
        for page in range(3):
            items = [make_item(page * 400 + n, text=f"word {n}") for n in range(400)]
            await stores.documents.store_pages([make_page(page, items)], START)
        await stores.documents.edit("x:7", None, {"text": "by hand"}, rev=None, by=Actor(user_id="a", at=START))
        await stores.documents.delete("x:8", None, by=Actor(user_id="a", at=START))
        done = await rebuild_search(settings, told.append)
        assert (done.items, done.deletions, done.total, done.resumed) == (1199, 1, 1199, False)
        assert [progress.items for progress in told][-1] == 1199
        assert (await stores.search.search(SearchQuery(text="word"))).total == 1198
        assert (await stores.search.search(SearchQuery(text='"by hand"'))).keys == ["x:7"]


async def test_a_folder_without_documents_is_named_and_left_alone(settings: Settings) -> None:
    with pytest.raises(StartupError, match="There are no documents in"):
        await rebuild_search(settings, lambda _: None)
    assert list(settings.home.iterdir()) == []


@pytest.mark.connected("mongodb", "elasticsearch")
async def test_both_real_engines_rebuild_alike(settings: Settings, mongodb_url: str, elasticsearch_url: str) -> None:
    with own_names({"mongodb": mongodb_url, "elasticsearch": elasticsearch_url}) as env:
        chosen = settings.model_copy(
            update={
                "mongodb_url": Secret(env["MONGODB_URL"]),
                "mongodb_db": env["MONGODB_DB"],
                "elasticsearch_url": Secret(env["ELASTICSEARCH_URL"]),
                "elasticsearch_index": env["ELASTICSEARCH_INDEX"],
            }
        )
        async with Stores.opened(chosen) as stores:
            items = [make_item(n, text=f"word {n}") for n in range(700)]
            await stores.documents.store_pages([make_page(1, items)], START)
            await stores.documents.delete("x:8", None, by=Actor(user_id="a", at=START))
            done = await rebuild_search(chosen, lambda _: None)
            assert (done.items, done.deletions, done.total) == (699, 1, 699)
            assert (await stores.search.search(SearchQuery(text="word"))).total == 699
