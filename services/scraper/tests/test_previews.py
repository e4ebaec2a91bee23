"""What a task would ask and take, told before it is made."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any, Final

import httpx2 as httpx
import pytest

from xget_kernel.caller import Caller
from xget_scraper.ports import Left, Prices
from xget_scraper.schemas.preview import PreviewWrite
from xget_scraper.service.expecting import Expecting
from xget_scraper.service.preview import estimate
from xget_sources.ports import Counted, Preview
from xget_sources.x_api.declared import TASK_TYPES
from xget_testing.collecting import ListSource
from xget_testing.tokens import TokenMaker

PATH = "/api/v1/tasks/preview"


async def look(client: httpx.AsyncClient, task_type: str, parameters: dict[str, Any], **more: Any) -> httpx.Response:
    return await client.post(PATH, json={"task_type": task_type, "parameters": parameters, **more})


async def test_a_search_is_shown_as_the_platform_would_be_asked(client: httpx.AsyncClient, source: ListSource) -> None:
    wish = {"any_words": ["量子", "quantum dots"], "from_users": ["@nasa"], "min_likes": 10, "limit": 100}
    answer = await look(client, "SEARCH", wish)
    assert answer.status_code == 200, answer.text
    seen = answer.json()
    assert seen["asks"] == ['(量子 OR "quantum dots") from:nasa min_faves:10']
    assert (seen["task_type"], seen["targets"], seen["more"]) == ("KEYWORD_SEARCH", 1, 0)
    assert (seen["operations"], seen["page_size"]) == (["SearchTimeline"], 20)
    assert (seen["estimate"]["requests"], seen["estimate"]["pages"]) == (5, 5)
    assert (seen["estimate"]["seconds"], seen["estimate"]["accounts"]) == (None, None)
    assert "account service does not answer" in seen["estimate"]["sentence"]
    assert (source.requested, source.requests) == ([], [])
    assert (await client.get("/api/v1/tasks")).json()["total"] == 0


async def test_ten_thousand_users_are_shown_by_the_first(client: httpx.AsyncClient) -> None:
    names = [f"user_{number}" for number in range(9_999)]
    seen = (await look(client, "USER_INFO", {"usernames": [*names, "USER_1"]})).json()
    assert (len(seen["asks"]), seen["targets"], seen["more"]) == (20, 9_999, 9_979)
    assert (seen["estimate"]["requests"], seen["estimate"]["requests_at_least"]) == (9_999, 9_999)


@pytest.mark.parametrize(
    ("task_type", "parameters", "field", "says"),
    [
        ("KEYWORD_SEARCH", {"query": 'AI OR "deep'}, "parameters.query", "character 7"),
        ("KEYWORD_SEARCH", {"query": "(AI OR (ML)"}, "parameters.query", "character 1"),
        ("KEYWORD_SEARCH", {"query": " AI)"}, "parameters.query", "character 4"),
        ("KEYWORD_SEARCH", {"query": "x" * 490}, "parameters", "character 457"),
        ("KEYWORD_SEARCH", {"query": "AI", "since": "2026-02-01", "until": "2026-01-01"}, "parameters", "before until"),
        ("KEYWORD_SEARCH", {"query": "AI", "since": "2999-01-01"}, "parameters", "future"),
        ("USER_TWEETS", {"user_ids": ["12", "nasa"]}, "parameters.user_ids.1", ""),
        ("USER_TWEETS", {"usernames": ["x"] * 10_001}, "parameters.usernames", "10000"),
        ("USER_TWEETS", {"username": "nasa", "usernames": ["esa"]}, "parameters", "give one of"),
        ("NOTHING", {}, "task_type", "NOTHING"),
    ],
)
async def test_what_cannot_be_asked_is_said_with_its_place(
    client: httpx.AsyncClient, task_type: str, parameters: dict[str, Any], field: str, says: str
) -> None:
    answer = await look(client, task_type, parameters)
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["field"] == field
    assert says in error["message"]
    created = await client.post(
        "/api/v1/tasks", json={"task_name": "t", "task_type": task_type, "parameters": parameters}
    )
    assert created.json()["errors"] == [error]


async def test_bookmarks_need_their_account(client: httpx.AsyncClient) -> None:
    seen = (await look(client, "BOOKMARKS", {})).json()
    assert any("account_id" in warning for warning in seen["warnings"])
    refused = await client.post("/api/v1/tasks", json={"task_name": "t", "task_type": "BOOKMARKS"})
    assert [error["field"] for error in refused.json()["errors"]] == ["account_id"]


async def test_a_viewer_may_look_ahead(client: httpx.AsyncClient, tokens: TokenMaker) -> None:
    headers = {"Authorization": f"Bearer {tokens.make('eve', ['viewer'])}"}
    body = {"task_type": "TRENDS", "parameters": {}}
    assert (await client.post(PATH, json=body, headers=headers)).status_code == 200


def left(accounts: int = 2, known: int = 2, limit: int = 100, remaining: int = 100, today: int = 1000) -> Left:
    return Left(
        accounts=accounts, known=known, limit=limit, remaining=remaining, today=today, window_seconds=900
    )  # fmt: skip


def search(**changed: Any) -> Preview:
    asked = {"asks": ["AI"], "more": 0, "targets": 1, "operations": ["Search"], "page_size": 20} | changed
    return Preview(**asked)


@pytest.mark.parametrize(
    ("preview", "parameters", "budget", "expected"),
    [
        (search(), {"limit": 2000}, {"Search": left()}, (1, 100, 100, 100)),
        (search(), {"limit": 4020}, {"Search": left()}, (1, 201, 201, 201 + 1800)),
        (search(), {"limit": 200}, {"Search": left(remaining=0)}, (1, 10, 10, 10 + 900)),
        (search(), {"limit": 2000}, {"Search": left(accounts=2, known=1, limit=50, remaining=0)}, (1, 100, 100, 1000)),
        (search(), {"limit": 2000}, {"Search": left(known=0, limit=0)}, (1, 100, 100, None)),
        (search(), {}, {"Search": left()}, (1, None, None, None)),
        (search(targets=9), {"limit_per_target": 30}, {"Search": left()}, (9, 18, 18, 18)),
        (search(targets=9, lookups=9), {"limit_per_target": 30}, {"By": left(), "Of": left()}, (18, 27, 18, 27)),
        (search(targets=9, page_size=None), {}, {"Search": left()}, (9, 9, 9, 9)),
        (search(), {"limit": 2000}, None, (1, 100, 100, None)),
    ],
)
def test_an_estimate_counts_pages_and_the_waits_between_them(
    preview: Preview, parameters: dict[str, Any], budget: dict[str, Left] | None, expected: tuple[int | None, ...]
) -> None:
    told = estimate(preview, parameters, budget)
    assert (told.requests_at_least, told.requests, told.pages, told.seconds) == expected
    assert told.sentence.endswith(".")


def test_an_estimate_says_what_stands_in_the_way() -> None:
    nobody = estimate(search(), {"limit": 20}, {"Search": left(accounts=0, known=0, limit=0)})
    assert "no usable account" in nobody.sentence
    tomorrow = estimate(search(), {"limit": 2000}, {"Search": left(today=60)})
    assert "60 requests left today" in tomorrow.sentence


class Counts:
    """A route on which 250 posts are found and the account service tells `prices`."""

    route = "x_api"
    task_types: Final = {"KEYWORD_SEARCH": TASK_TYPES["KEYWORD_SEARCH"]}

    def __init__(self, prices: Prices | None) -> None:
        self.prices = prices

    async def count(self, *_wanted: Any) -> Counted:
        return Counted(posts=250, page_size=100, whole=True, requests=1)

    async def left(self, _owner: str, platform: str, operation: str, _account: str | None) -> Left:
        assert (platform, operation) == ("x_api", "tweetsFullarchiveSearch")
        return Left(accounts=1, known=0, limit=0, remaining=0, today=9, window_seconds=900, prices=self.prices)

    @asynccontextmanager
    async def open(self, _tenant: Any) -> AsyncIterator[Any]:
        yield None


@pytest.mark.parametrize(
    ("prices", "cost", "words"),
    [
        (Prices(post_micros=20_000, user_micros=1, request_micros=1_000_000), Decimal(8), "about 8.00 US dollars"),
        (None, None, "for a price that the account service does not tell"),
    ],
)
async def test_a_preview_has_its_prices_from_the_account_service(
    prices: Prices | None, cost: Decimal | None, words: str
) -> None:
    world: Any = Counts(prices)
    body = PreviewWrite(task_type="KEYWORD_SEARCH", parameters={"query": "AI"}, routes=["x_api"])
    caller = Caller(user_id="ada", roles=frozenset({"analyst"}), via="token")
    expected = await Expecting(world, world).of(world, body, "KEYWORD_SEARCH", body.parameters, caller)
    assert expected is not None
    assert expected.cost_usd == cost
    assert words in expected.sentence
