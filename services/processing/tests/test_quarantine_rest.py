"""Quarantine over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx2 as httpx
import pytest

from xget_processing.app import create_app
from xget_testing.apps import running
from xget_testing.fuzz import fuzz

QUARANTINE = "/api/v1/quarantine"
MIXED = ["a", "b", "new-shape"]
"""Too little of it is rejected to freeze the parser."""


@pytest.fixture
async def api(works: Any, tokens: Any) -> AsyncIterator[httpx.AsyncClient]:
    await works.send(works.page(1, ["a", "new-shape"]), works.page(2, ["new-shape"], task_id="t2"))
    app = create_app(works.settings, verifier=tokens.verifier(), sources={"toy": works.source})
    async with running(app, token=tokens.make("owner-1")) as client:
        yield client


async def test_lists_filters_and_shows_the_payload(api: httpx.AsyncClient) -> None:
    listed = (await api.get(QUARANTINE, params={"size": 1})).json()
    assert (listed["total"], listed["pages"], listed["items"][0]["page_no"]) == (2, 2, 2)
    for params, total in (
        ({"task": "t2"}, 1),
        ({"execution_id": "e1"}, 2),
        ({"platform": "toy", "state": "open"}, 2),
        ({"platform": "x"}, 0),
        ({"state": "replayed"}, 0),
        ({"operation": "Toys", "parser_version": "toy-1"}, 2),
        ({"operation": "Others"}, 0),
        ({"parser_version": "toy-2"}, 0),
    ):
        assert (await api.get(QUARANTINE, params=params)).json()["total"] == total
    one = (await api.get(f"{QUARANTINE}/{listed['items'][0]['id']}")).json()
    assert (one["raw"], one["raw_bytes"], one["reason"], one["native_id"]) == ('"new-shape"', 11, "unknown shape", "0")


async def test_replays_announce_what_the_parser_reads_now(api: httpx.AsyncClient, works: Any) -> None:
    works.source.unknown = ""
    report = (await api.post(f"{QUARANTINE}/replay", json={"all": True})).json()
    assert report == {"pages": 2, "replayed": 2, "still_open": 0, "remaining": 0, "next_cursor": None}
    results = await works.receive(2)
    assert [(result.page_no, result.replay, len(result.items)) for result in results] == [(1, True, 2), (2, True, 1)]
    assert (await api.get(QUARANTINE, params={"state": "replayed"})).json()["total"] == 2


async def test_one_is_replayed_by_id_and_only_while_open(api: httpx.AsyncClient, works: Any) -> None:
    record = (await api.get(QUARANTINE)).json()["items"][0]
    still = await api.post(f"{QUARANTINE}/{record['id']}/replay")
    assert still.json()["state"] == "open"
    works.source.unknown = ""
    ids = {"ids": [record["id"], "no-such-id"]}
    assert (await api.post(f"{QUARANTINE}/replay", json=ids)).json()["replayed"] == 1
    assert (await api.post(f"{QUARANTINE}/{record['id']}/replay")).status_code == 409
    assert (await api.post(f"{QUARANTINE}/{record['id']}/dismiss")).status_code == 409


async def test_other_owners_see_nothing_and_the_same_sentence(api: httpx.AsyncClient, tokens: Any) -> None:
    record = (await api.get(QUARANTINE)).json()["items"][0]["id"]
    other = {"Authorization": f"Bearer {tokens.make('owner-2')}"}
    assert (await api.get(QUARANTINE, headers=other)).json()["total"] == 0
    assert (await api.post(f"{QUARANTINE}/replay", headers=other, json={"ids": [record]})).json()["pages"] == 0
    for method, path in (("GET", ""), ("POST", "/replay"), ("POST", "/dismiss")):
        there = await api.request(method, f"{QUARANTINE}/{record}{path}", headers=other)
        missing = await api.request(method, f"{QUARANTINE}/nothing{path}", headers=other)
        assert (there.status_code, missing.status_code) == (404, 404)
        assert there.json()["detail"].replace(record, "") == missing.json()["detail"].replace("nothing", "")


async def test_the_service_says_that_it_is_ready(api: httpx.AsyncClient) -> None:
    assert (await api.get("/readyz")).json() == {"status": "ready"}


async def test_viewers_do_not_replay(api: httpx.AsyncClient, tokens: Any) -> None:
    viewer = {"Authorization": f"Bearer {tokens.make('owner-1', ('viewer',))}"}
    assert (await api.get(QUARANTINE, headers=viewer)).status_code == 200
    assert (await api.post(f"{QUARANTINE}/replay", headers=viewer, json={"all": True})).status_code == 403


async def test_a_replay_by_filter_goes_on_at_its_cursor_past_what_stays_open(
    api: httpx.AsyncClient, works: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xget_processing.service.quarantine.MOST_PAGES", 10)
    await works.send(*(works.page(n, MIXED, execution_id="many", operation="Many") for n in range(1, 26)))
    wanted: dict[str, Any] = {"operation": "Many", "parser_version": "toy-1", "execution_id": "many"}
    told = []
    while True:
        report = (await api.post(f"{QUARANTINE}/replay", json=wanted)).json()
        told.append((report["pages"], report["replayed"], report["still_open"], report["remaining"]))
        if report["next_cursor"] is None:
            break
        wanted["cursor"] = report["next_cursor"]
    assert told == [(10, 0, 10, 15), (10, 0, 10, 5), (5, 0, 5, 0)]
    for nothing in ({"operation": "Few"}, {"parser_version": "toy-0"}, {"task": "t9"}, {"execution_id": "e9"}):
        assert (await api.post(f"{QUARANTINE}/replay", json=nothing)).json()["pages"] == 0
    assert (await api.post(f"{QUARANTINE}/replay", json={"task": "t2"})).json()["pages"] == 1


@pytest.mark.parametrize(
    "cursor",
    ["", "x", "WyJhIiwxXQ", "WyJhIiwxLC0xXQ", "WyJhXHUwMDAwIiwxLDFd", "WyJhIiwxLDEsLTFd", "WyJhIiwxLDFd", "W10" * 2000],
)
async def test_a_foreign_cursor_is_refused(api: httpx.AsyncClient, cursor: str) -> None:
    answer = await api.post(f"{QUARANTINE}/replay", json={"all": True, "cursor": cursor})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "cursor")


@pytest.mark.parametrize(
    "body", [{}, {"cursor": "x"}, {"ids": []}, {"all": False}, {"ids": ["a\x00"]}, {"all": True, "more": 1}]
)
async def test_a_replay_names_what_to_replay(api: httpx.AsyncClient, body: dict[str, Any]) -> None:
    assert (await api.post(f"{QUARANTINE}/replay", json=body)).status_code == 422


async def test_parsers_are_listed_with_their_counts(api: httpx.AsyncClient) -> None:
    (row,) = (await api.get("/api/v1/parsers")).json()["items"]
    assert (row["platform"], row["version"], row["pages"], row["items"], row["rejected"]) == ("toy", "toy-1", 2, 1, 2)


@pytest.mark.slow
def test_no_request_breaks_the_api_or_its_document(settings: Any, tokens: Any, source: Any) -> None:
    app = create_app(settings, verifier=tokens.verifier(), sources={"toy": source})
    fuzz(app, token=tokens.make("owner-1"))
