"""Parsers over HTTP: what they read, which are frozen, and how an operator lets them go on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx2 as httpx
import pytest

from xget_contracts.events import PAGES
from xget_events import codec
from xget_kernel.clock import SystemClock
from xget_processing.app import create_app
from xget_testing.apps import running

PARSERS = "/api/v1/parsers"
THAW = f"{PARSERS}/toy:Toys/thaw"


@pytest.fixture
async def api(works: Any, tokens: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A frozen parser for which 30 pages wait that it cannot read either."""
    await works.send(*(works.page(n, ["new-shape"]) for n in range(1, 11)))
    now = SystemClock().now()
    pages = [works.page(n, ["a", "new-shape"], execution_id="e2") for n in range(1, 31)]
    await works.log.publish([codec.message(PAGES, p.execution_id, p, source="test", now=now) for p in pages])
    app = create_app(works.settings, verifier=tokens.verifier(), sources={"toy": works.source})
    async with running(app, token=tokens.make("owner-1", ("operator",))) as client:

        async def all_wait() -> bool:
            return (await parser(client))["waiting"] == 30

        await works.until(all_wait)
        yield client


async def parser(api: httpx.AsyncClient) -> dict[str, Any]:
    (found,) = (await api.get(PARSERS)).json()["parsers"]
    return dict(found)


async def test_a_frozen_parser_is_shown_with_its_reason(api: httpx.AsyncClient) -> None:
    found = await parser(api)
    assert (found["name"], found["platform"], found["state"]) == ("toy:Toys", "toy", "frozen")
    assert (found["version"], found["by"], found["pages"], found["rate"]) == ("toy-1", "rate", 10, 1.0)


async def test_an_operator_thaws_and_what_cannot_be_read_goes_to_quarantine(api: httpx.AsyncClient, works: Any) -> None:
    answer = await api.post(THAW)
    assert (answer.status_code, answer.json()["state"], answer.json()["by"]) == (200, "thawing", "owner-1")
    results = await works.receive(30)
    assert [(result.page_no, len(result.items), result.quarantined) for result in results] == [
        (n, 1, 1) for n in range(1, 31)
    ]

    async def reads() -> bool:
        return (await parser(api))["state"] == "reading"

    await works.until(reads)
    assert (await api.get("/api/v1/quarantine")).json()["total"] == 40
    assert (await api.post(THAW)).status_code == 409


async def test_only_operators_thaw(api: httpx.AsyncClient, tokens: Any) -> None:
    for role, status in (("viewer", 403), ("analyst", 403), ("admin", 200)):
        headers = {"Authorization": f"Bearer {tokens.make('owner-1', (role,))}"}
        assert (await api.post(THAW, headers=headers)).status_code == status


@pytest.mark.parametrize("name", ["toy", "toy:", "toy:Others", ":", "elsewhere:Toys"])
async def test_a_parser_that_is_not_there_is_404(api: httpx.AsyncClient, name: str) -> None:
    assert (await api.post(f"{PARSERS}/{name}/thaw")).status_code == 404
