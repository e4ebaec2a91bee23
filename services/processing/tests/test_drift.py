"""Fields that are new to a parser or stay away are counted, from some pages, within bounds."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx2 as httpx
import pytest

from xget_contracts.items import Rejected
from xget_processing.app import create_app
from xget_processing.service.drift import MOST_NEW
from xget_processing.settings import Settings
from xget_sources.ports import Parsed
from xget_testing.apps import running

PARSERS = "/api/v1/parsers"
DRIFT = f"{PARSERS}/toy:Toys/drift"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"processing_drift_every": 2, "processing_drift_gone_pages": 3})


@pytest.fixture
def source(source: Any) -> Any:
    source.known, source.usual = {"text", "often"}, {"often"}
    return source


@pytest.fixture
async def api(works: Any, tokens: Any) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(works.settings, verifier=tokens.verifier(), sources={"toy": works.source})
    async with running(app, token=tokens.make("owner-1", ("viewer",))) as client:
        yield client


async def fields(api: httpx.AsyncClient, **params: str) -> list[tuple[str, str, int, int]]:
    found = (await api.get(DRIFT, params=params)).json()["items"]
    return [(field["change"], field["path"], field["pages"], field["of_pages"]) for field in found]


async def test_one_page_in_so_many_is_looked_at(works: Any, api: httpx.AsyncClient) -> None:
    for n in range(1, 7):
        await works.send(works.page(n, ["often here", f"new{n} thing", "fresh one"]))
    assert await fields(api) == [
        ("new", "fresh", 3, 3),
        ("new", "new1", 1, 3),
        ("new", "new3", 1, 3),
        ("new", "new5", 1, 3),
    ]
    (version,) = (await api.get(PARSERS)).json()["items"]
    assert (version["new_fields"], version["gone_fields"]) == (4, 0)


async def test_every_page_with_rejected_records_is_looked_at(works: Any, api: httpx.AsyncClient) -> None:
    for n in range(1, 5):
        await works.send(works.page(n, ["often here", f"n{n} new-shape", "text"]))
    assert [path for _, path, _, _ in await fields(api)] == ["n1", "n2", "n3", "n4"]


async def test_a_usual_field_is_gone_when_the_last_pages_lacked_it_and_no_more_once_it_is_back(
    works: Any, api: httpx.AsyncClient
) -> None:
    for n in range(1, 5):
        await works.send(works.page(n, ["text"]))
    assert await fields(api) == []
    await works.send(works.page(5, ["text"]))
    assert await fields(api, change="gone") == [("gone", "often", 3, 3)]
    (version,) = (await api.get(PARSERS)).json()["items"]
    assert version["gone_fields"] == 1
    await works.send(works.page(6, ["text"]))
    await works.send(works.page(7, ["often"]))
    assert await fields(api) == []


async def test_versions_are_counted_apart_and_filters_hold(works: Any, api: httpx.AsyncClient) -> None:
    await works.send(works.page(1, ["often", "b"]))
    works.source.parser_version = "toy-2"
    await works.send(works.page(2, ["skipped"]), works.page(3, ["often", "c"]))
    assert [path for _, path, _, _ in await fields(api)] == ["b", "c"]
    assert [path for _, path, _, _ in await fields(api, version="toy-2")] == ["c"]
    assert await fields(api, shape="user") == []
    assert await fields(api, change="gone") == []
    assert (await api.get(f"{PARSERS}/toy/drift")).json()["total"] == 2
    for name in ("toy:Others", "elsewhere", "elsewhere:Toys"):
        assert (await api.get(f"{PARSERS}/{name}/drift")).status_code == 404


async def test_a_flood_of_fields_is_kept_within_bounds(works: Any, api: httpx.AsyncClient) -> None:
    await works.send(works.page(1, ["often", *(f"f{n}" for n in range(MOST_NEW + 50))]))
    await works.send(works.page(2, []), works.page(3, ["often", "one-more", "f0"]))
    assert (await api.get(DRIFT)).json()["total"] == MOST_NEW
    assert ("new", "f0", 2, 2) in await fields(api, size="100")


async def test_names_of_any_length_and_sign_are_kept(works: Any, api: httpx.AsyncClient) -> None:
    await works.send(works.page(1, ["often", "字" * 5000, "nul\x00l"]))
    assert [len(path) for _, path, _, _ in await fields(api)] == [5, 500]


async def test_a_source_that_fails_at_its_fields_stops_nothing(
    works: Any, api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(page: Any) -> Any:
        raise RuntimeError("a bug of this source")

    def rejecting(page: Any) -> Parsed:
        return Parsed(items=[], authors=[], rejected=[Rejected(path="$", reason="no", raw=b"{}")])

    monkeypatch.setattr(works.source, "fields", broken)
    monkeypatch.setattr(works.source, "parse", rejecting)
    (result,) = await works.send(works.page(1, ["a"]))
    assert result.quarantined == 1
    assert await fields(api) == []
