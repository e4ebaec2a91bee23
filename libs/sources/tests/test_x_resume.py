"""Stopping and going on, windows, filters, and what a page costs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from twscrape import telemetry

from xget_kernel.clock import ManualClock
from xget_sources.connections import Connections
from xget_sources.ports import SourceStopped
from xget_sources.registry import load_sources


def all_keys(pages: list[Any]) -> list[str]:
    return list(dict.fromkeys(key for page in pages for key in page.entry_keys))


@pytest.mark.parametrize(
    ("task_type", "params"), [("KEYWORD_SEARCH", {"query": "AI"}), ("USER_FOLLOWERS", {"username": "elonmusk"})]
)
async def test_a_run_goes_on_from_any_page(start: Any, lender: Any, gather: Any, task_type: str, params: Any) -> None:
    sandbox = await start(posts=900)
    whole = await gather(lender(sandbox.proxy_url), task_type, **params)
    for cut in range(1, len(whole)):
        first = await gather(lender(sandbox.proxy_url), task_type, most=cut, **params)
        rest = await gather(lender(sandbox.proxy_url), task_type, cursor=first[-1].cursor_out, **params)
        assert all_keys(first + rest) == all_keys(whole)
        assert rest[0].cursor_in == first[-1].cursor_out
        assert all(page.counts for page in rest)


async def test_a_name_is_looked_up_once(start: Any, lender: Any, gather: Any) -> None:
    sandbox = await start()
    pages = await gather(lender(sandbox.proxy_url), "USER_TWEETS", username="elonmusk")
    assert [page.counts for page in pages] == [False] + [True] * (len(pages) - 1)
    assert (pages[0].operation, pages[0].entry_keys) == ("UserByScreenName", [])
    assert {page.operation for page in pages[1:]} == {"UserTweets"}
    by_id = await gather(lender(sandbox.proxy_url), "USER_TWEETS", user_id=pages[1].request["userId"])
    assert all_keys(by_id) == all_keys(pages)


async def test_a_window_ends_as_soon_as_it_is_covered(start: Any, lender: Any, gather: Any) -> None:
    sandbox = await start(posts=2000)
    whole = sandbox.truth.answer({"task_type": "USER_TWEETS", "username": "elonmusk", "full": "1"})
    times = sorted(
        (post["created_at"] for key, post in whole["posts"].items() if key in whole["matches"]), reverse=True
    )
    since = times[len(times) // 4]
    asked = {"task_type": "USER_TWEETS", "username": "elonmusk", "since": since, "until": times[2]}
    pages = await gather(lender(sandbox.proxy_url), "USER_TWEETS", username="elonmusk", since=since, until=times[2])
    assert sorted(key.removeprefix("x:") for key in all_keys(pages)) == sorted(sandbox.truth.answer(asked)["matches"])
    everything = await gather(lender(sandbox.proxy_url), "USER_TWEETS", username="elonmusk")
    assert pages[-1].end_reason == "window_covered"
    assert len(pages) < len(everything)


async def test_pages_of_an_account_share_a_connection(start: Any, lender: Any, gather: Any, source: Any) -> None:
    sandbox = await start(posts=900)
    pages = await gather(lender(sandbox.proxy_url), "KEYWORD_SEARCH", query="AI OR 人工智能")
    assert len(pages) > 3
    assert source._client.connections.idle == 1
    await source.close()
    assert source._client.connections.idle == 0


async def test_idle_connections_are_few_and_grow_old() -> None:
    clock = ManualClock()
    connections = Connections(clock, max_idle=2, idle_seconds=60)
    clients = [await connections.take(f"account-{number}", None) for number in range(3)]
    for number, client in enumerate(clients):
        await connections.give_back(f"account-{number}", None, client)
    assert connections.idle == 2
    assert clients[0].is_closed
    assert await connections.take("account-2", None) is clients[2]
    clock.advance(61)
    other = await connections.take("account-1", None)
    assert other is not clients[1]
    assert clients[1].is_closed
    for client in (other, clients[2]):
        await client.aclose()


async def test_outcomes_say_what_the_ledger_needs(start: Any, lender: Any, gather: Any) -> None:
    sandbox = await start()
    lent = lender(sandbox.proxy_url)
    await gather(lent, "KEYWORD_SEARCH", most=1, query="AI")
    (outcome,) = lent.outcomes
    assert (outcome.operation, outcome.status, outcome.body_kind, outcome.error_codes) == (
        "SearchTimeline",
        200,
        "json",
        [],
    )
    assert outcome.limit > outcome.remaining > 0
    assert outcome.bytes > 1000
    now = datetime.now(UTC)
    assert outcome.reset_at is not None
    assert now - timedelta(minutes=1) < outcome.reset_at < now + timedelta(hours=1)


async def test_a_page_keeps_what_was_asked_and_no_secret(start: Any, lender: Any, gather: Any) -> None:
    sandbox = await start()
    (page,) = await gather(lender(sandbox.proxy_url), "KEYWORD_SEARCH", most=1, query="AI", lang="en")
    assert page.request["rawQuery"] == "AI lang:en"
    assert "token-alice" not in repr(page.request)
    assert (page.account_id, page.proxy_id, page.requests, page.route) == ("alice", "proxy-1", 1, "x_session")


async def test_a_foreign_cursor_and_bad_parameters_end_with_a_sentence(lender: Any, gather: Any) -> None:
    for cursor, params in (("nonsense", {"query": "AI"}), (None, {"query": "AI", "colour": "red"})):
        with pytest.raises(SourceStopped) as stopped:
            await gather(lender(None), "KEYWORD_SEARCH", cursor=cursor, **params)
        assert stopped.value.reason == "source_error"


async def test_an_alias_collects_like_its_task_type(start: Any, lender: Any, gather: Any) -> None:
    sandbox = await start()
    under_alias = await gather(lender(sandbox.proxy_url), "SEARCH", query="AI")
    assert all_keys(under_alias) == all_keys(await gather(lender(sandbox.proxy_url), "KEYWORD_SEARCH", query="AI"))


async def test_twscrape_counts_nothing_for_its_author(start: Any, lender: Any, gather: Any) -> None:
    sandbox = await start()
    telemetry.reset()
    await gather(lender(sandbox.proxy_url), "KEYWORD_SEARCH", most=1, query="AI")
    assert telemetry._is_disabled()
    assert telemetry.snapshot() == []


async def test_sources_are_found_by_entry_point() -> None:
    sources = load_sources()
    assert sources["x_session"].platform == "x"
    assert sources["x_session"].parser_version == "x-2"
    for found in sources.values():
        await found.close()
