"""Proxies over HTTP, through the real app."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from fastapi import FastAPI

from xget_testing.apps import LOOPBACK
from xget_testing.tokens import TokenMaker

URL = "/api/v1/proxies"


async def test_a_proxy_is_kept_and_its_password_is_not_shown(
    client: httpx.AsyncClient, add_proxy: Any, settings: Any
) -> None:
    proxy = await add_proxy("[2001:DB8:0::1]", username="u", password="hunter2", country="de", city="Köln")
    assert (proxy["ip"], proxy["country"], proxy["password_set"]) == ("2001:db8::1", "DE", True)
    assert (proxy["status"], proxy["latency"], proxy["success_rate"]) == ("ACTIVE", None, None)
    answer = await client.get(f"{URL}/{proxy['id']}")
    assert answer.json() == proxy
    assert "hunter2" not in answer.text
    assert b"hunter2" not in on_disk(settings.home)


def on_disk(home: Path) -> bytes:
    return b"".join(path.read_bytes() for path in home.glob("proxy.db*"))


async def test_lists_are_paged_and_filtered(client: httpx.AsyncClient, add_proxy: Any) -> None:
    await add_proxy("10.0.0.1", country="DE")
    await add_proxy("10.0.0.2", type="socks5", status="INACTIVE")
    for query, expected in (
        ("", 2),
        ("?country=de", 1),
        ("?type=socks5", 1),
        ("?status=INACTIVE", 1),
        ("?status=ACTIVE", 1),
        ("?status=CHECKING", 0),
        ("/available", 1),
        ("/available?type=socks5", 0),
        ("/available?country=DE&type=http", 1),
    ):
        answer = await client.get(URL + query)
        assert answer.status_code == 200, answer.text
        assert answer.json()["total"] == expected, query


async def test_changes_need_the_seen_version_and_a_free_place(client: httpx.AsyncClient, add_proxy: Any) -> None:
    one = await add_proxy("10.0.0.1", username="u", password="p")
    await add_proxy("10.0.0.2", username="u")
    url = f"{URL}/{one['id']}"
    seen = (await client.get(url)).headers["etag"]
    assert (await client.put(url, json={"city": "Bonn"}, headers={"If-Match": seen})).status_code == 200
    assert (await client.put(url, json={"city": "Rom"}, headers={"If-Match": seen})).status_code == 412
    taken = await client.put(url, json={"ip": "10.0.0.2"})
    assert (taken.status_code, taken.json()["errors"][0]["rule"]) == (409, "unique")
    lonely = await client.put(url, json={"username": None})
    assert (lonely.status_code, lonely.json()["errors"][0]["field"]) == (422, "username")
    moved = await client.put(url, json={"ip": "proxy.example.org", "port": 1, "username": None, "password": None})
    assert (moved.json()["ip"], moved.json()["password_set"], moved.json()["city"]) == (
        "proxy.example.org",
        False,
        "Bonn",
    )
    assert (await client.delete(url)).status_code == 204
    assert (await client.get(url)).status_code == 404


async def test_the_same_place_twice_is_a_conflict(client: httpx.AsyncClient, add_proxy: Any) -> None:
    await add_proxy("10.0.0.1")
    answer = await client.post(URL, json={"type": "http", "ip": "10.0.0.1", "port": 8080})
    assert answer.status_code == 409


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"ip": ""}, "ip"),
        ({"ip": "10.0.0.300"}, "ip"),
        ({"ip": "http://h.org"}, "ip"),
        ({"ip": "h\u0000.org"}, "ip"),
        ({"port": 0}, "port"),
        ({"port": 10**20}, "port"),
        ({"port": "eighty"}, "port"),
        ({"type": "ftp"}, "type"),
        ({"country": "Germany"}, "country"),
        ({"password": "p"}, "username"),
        ({"username": "u\r\n", "password": "p"}, "username"),
        ({"status": "CHECKING"}, "status"),
        ({"speed": 9}, "speed"),
    ],
)
async def test_bad_bodies_name_the_field(client: httpx.AsyncClient, change: dict[str, Any], field: str) -> None:
    answer = await client.post(URL, json={"type": "http", "ip": "10.0.0.1", "port": 80} | change)
    assert answer.status_code == 422, answer.text
    assert field in {error["field"] for error in answer.json()["errors"]}


async def test_somebody_elses_proxy_is_as_if_it_were_not_there(
    client: httpx.AsyncClient, app: FastAPI, add_proxy: Any, tokens: TokenMaker
) -> None:
    proxy = await add_proxy()
    url = f"{URL}/{proxy['id']}"
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=LOOPBACK) as bob:
        bob.headers["Authorization"] = f"Bearer {tokens.make('bob', ['operator'])}"
        for answer in (await bob.get(url), await bob.put(url, json={}), await bob.delete(url)):
            assert answer.status_code == 404
        assert (await bob.post(f"{URL}/check", json={"ids": [proxy["id"]]})).status_code == 404
        assert (await bob.get(URL)).json()["total"] == 0
        bob.headers["Authorization"] = f"Bearer {tokens.make('ada', ['viewer'])}"
        assert (await bob.get(url)).status_code == 200
        assert (await bob.delete(url)).status_code == 403


async def test_each_line_of_an_import_is_answered(client: httpx.AsyncClient, add_proxy: Any) -> None:
    known = await add_proxy("10.0.0.9")
    text = "http://u:p@10.0.0.1:80\n10.0.0.9:8080\nnonsense\n# comment\nhttp://u:other@10.0.0.1:80"
    body = (await client.post(f"{URL}/import", json={"text": text})).json()
    assert [(r["line"], r["outcome"]) for r in body["lines"]] == [
        (1, "created"),
        (2, "duplicate"),
        (3, "refused"),
        (5, "duplicate"),
    ]
    assert body["lines"][0]["proxy"] == "http://10.0.0.1:80"
    assert body["lines"][1]["proxy_id"] == known["id"]
    assert (body["created"], body["duplicate"], body["refused"]) == (1, 2, 1)
    again = (await client.post(f"{URL}/import", json={"text": text})).json()
    assert (again["created"], again["duplicate"]) == (0, 3)


@pytest.mark.slow
async def test_ten_thousand_lines_are_taken_at_once(client: httpx.AsyncClient) -> None:
    text = "\r\n".join(f"http://u:p@10.0.{i // 250}.{i % 250}:{1000 + i}" for i in range(10_000))
    assert (await client.post(f"{URL}/import", json={"text": text})).json()["created"] == 10_000


async def test_a_check_needs_ids_or_all(client: httpx.AsyncClient) -> None:
    for body in ({}, {"ids": [], "all": False}, {"ids": ["x"], "all": True}, {"ids": ["x"] * 101}):
        assert (await client.post(f"{URL}/check", json=body)).status_code == 422
    assert (await client.post(f"{URL}/check", json={"ids": ["x"]})).status_code == 404
    assert (await client.post(f"{URL}/check", json={"all": True})).json()["items"] == []
