"""Searches that stall, lie and forget, and still hold every post for who asks in smaller windows."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from twscrape import gather

from xget_sandbox.errors import SandboxError
from xget_sandbox.paging import parse_rules
from xget_sandbox.search import Search
from xget_sandbox.world import build_world
from xget_sandbox.world.ids import DAY_MS, NOW_MS, snowflake_ms


def page(answer: httpx.Response) -> tuple[list[int], str]:
    """Post ids of a search page, and its bottom cursor."""
    listed = answer.json()["data"]["search_by_raw_query"]["search_timeline"]["timeline"]["instructions"]
    every = [entry for one in listed for entry in one.get("entries", [one["entry"]] if "entry" in one else [])]
    bottom = next(e["content"]["value"] for e in every if e["content"].get("cursorType") == "Bottom")
    return [int(e["entryId"].removeprefix("tweet-")) for e in every if e["entryId"].startswith("tweet-")], bottom


async def walk(gql: Any, sandbox: Any, query: str, pages: int) -> list[tuple[list[int], str]]:
    """Pages of a search, following the cursors whatever they are."""
    cursor, found = None, []
    for _ in range(pages):
        asked = {"rawQuery": query, "product": "Latest", **({"cursor": cursor} if cursor else {})}
        found.append(page(await gql(sandbox, "SearchTimeline", **asked)))
        cursor = found[-1][1]
    return found


async def test_a_stalled_search_gives_empty_pages_with_ever_new_cursors(start, gql):
    sandbox = await start(paging="stall=100,how=empty")
    pages = await walk(gql, sandbox, "climate", 9)
    assert [len(ids) for ids, _ in pages] == [20] * 5 + [0] * 4
    assert len({cursor for _, cursor in pages}) == 9


async def test_a_stalled_search_repeats_its_page_and_cursor(start, gql):
    sandbox = await start(paging="stall=100,how=repeat")
    pages = await walk(gql, sandbox, "climate", 8)
    assert pages[4] == pages[5] == pages[7]
    assert pages[3][1] == pages[4][1]
    assert len({one for ids, _ in pages for one in ids}) == 100


async def test_a_stalled_search_pretends_to_be_at_its_end(start, gql, ask):
    sandbox = await start(paging="stall=100,how=end")
    pages = await walk(gql, sandbox, "climate", 8)
    assert [len(ids) for ids, _ in pages] == [20] * 5 + [0] * 3
    assert {cursor for _, cursor in pages[4:]} == {pages[4][1]}
    log = (await ask(sandbox, "log"))["requests"]
    assert [entry["fault"] for entry in log] == [None] * 5 + ["stall"] * 3
    assert (await ask(sandbox, "paging"))["struck"] == {"stall": 3}


async def test_what_fits_below_the_stall_is_read_to_its_true_end(start, make_api, ask):
    sandbox = await start(paging="stall=100,how=mixed")
    truth = await ask(sandbox, "truth", task_type="KEYWORD_SEARCH", query="quantum")
    assert 20 < truth["count"] < 100
    found = await gather(make_api(sandbox).search("quantum"))
    assert {tweet.id_str for tweet in found} >= set(truth["matches"])


async def test_smaller_windows_find_what_a_stalled_search_hides(start, gql, ask):
    sandbox = await start(posts=1200, paging="stall=60,how=mixed")
    truth = await ask(sandbox, "truth", task_type="KEYWORD_SEARCH", query="climate")
    found: set[int] = set()
    until = 1 << 33
    for _ in range(60):
        pages = await walk(gql, sandbox, f"climate until_time:{until}", 3)
        ids = {one for listed, _ in pages for one in listed}
        if ids <= found:
            break
        found |= ids
        until = snowflake_ms(min(ids)) // 1000 + 1
    assert found == {int(one) for one in truth["matches"]}


async def test_a_page_that_lies_does_so_always_and_another_query_gets_past_it(start, gql, ask):
    sandbox = await start(paging="lie=0.3")
    pages = await walk(gql, sandbox, "climate", 20)
    listed = [len(ids) for ids, _ in pages]
    assert listed[0] == 20
    assert listed[-1] == 0
    assert listed.index(0) * 20 < (await ask(sandbox, "truth", task_type="SEARCH", query="climate"))["count"]
    last = min(one for ids, _ in pages for one in ids)
    assert len((await walk(gql, sandbox, f"climate max_id:{last - 1}", 1))[0][0]) == 20


async def test_lies_that_flicker_are_seeded_and_another_asking_may_hear_the_truth(start, gql, ask):
    heard = []
    for _ in range(2):
        sandbox = await start(paging="flicker=0.5")
        first = (await walk(gql, sandbox, "climate", 1))[0]
        again = [
            page(await gql(sandbox, "SearchTimeline", rawQuery="climate", product="Latest", cursor=first[1]))
            for _ in range(12)
        ]
        assert len(first[0]) == 20
        assert {len(ids) for ids, _ in again} == {0, 20}
        assert {cursor for ids, cursor in again if not ids} == {first[1]}
        heard.append([len(ids) for ids, _ in again])
    assert heard[0] == heard[1]


async def test_an_old_cursor_is_refused(start, gql, ask):
    sandbox = await start(paging="expire=900")
    ((_, cursor),) = await walk(gql, sandbox, "climate", 1)
    asked = {"rawQuery": "climate", "product": "Latest", "cursor": cursor}
    assert len(page(await gql(sandbox, "SearchTimeline", **asked))[0]) == 20
    await ask(sandbox, "clock", post={"advance": 901})
    refused = (await gql(sandbox, "SearchTimeline", **asked)).json()["errors"][0]
    assert "expired" in refused["message"]
    await walk(gql, sandbox, "climate", 1)
    assert len(page(await gql(sandbox, "SearchTimeline", **asked))[0]) == 20


async def test_rules_are_turned_while_it_runs_and_only_for_their_operation(start, gql, ask, make_api):
    sandbox = await start()
    told = await ask(sandbox, "paging", post={"paging": {"UserTweets": {"stall": 40, "how": "end"}}})
    assert told["paging"]["UserTweets"]["stall"] == 40
    api = make_api(sandbox)
    assert len(await gather(api.search("climate", limit=100))) >= 100
    truth = await ask(sandbox, "truth", task_type="USER_TWEETS", username="elonmusk")
    found = {tweet.id_str for tweet in await gather(api.user_tweets(44196397))}
    assert len(found & set(truth["matches"])) < truth["count"]
    await ask(sandbox, "paging", post={"paging": ""})
    assert len(set(truth["matches"]) - {tweet.id_str for tweet in await gather(api.user_tweets(44196397))}) == 0


async def test_one_page_can_say_that_there_is_no_more(start, gql):
    sandbox = await start(faults=["end@2"])
    pages = await walk(gql, sandbox, "climate", 3)
    assert [len(ids) for ids, _ in pages] == [20, 0, 20]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("stall", "name=value"), ("stall=x", "not a number"), ("stall=-1", "out of range"), ("lie=2", "out of range"),
        ("how=never", "mixed"), ("size=3", "stall, how, lie"), ("Nothing.stall=3", "Unknown operation"),
        ("lie=nan", "out of range"),
    ],
)  # fmt: skip
def test_mistakes_in_rules_are_named(text, word):
    with pytest.raises(SandboxError, match=word):
        parse_rules(text)


def test_windows_by_time_and_id_are_exact_and_bounds_inside_or_are_not_the_querys():

    world = build_world(7, 400)
    ids = [post.id for post in world.newest if post.kind != "repost"]
    search = Search(world)
    middle = ids[len(ids) // 2]
    at = snowflake_ms(middle) // 1000
    later = [post.id for post in search.find(f"since_time:{at}")]
    earlier = [post.id for post in search.find(f"until_time:{at}")]
    assert later == [one for one in ids if snowflake_ms(one) >= at * 1000]
    assert later + earlier == ids
    assert [post.id for post in search.find(f"max_id:{middle}")] == [one for one in ids if one <= middle]
    assert [post.id for post in search.find(f"since_id:{middle}")] == [one for one in ids if one > middle]
    assert [post.id for post in search.find(f"since_id:{middle} OR max_id:{middle}")] == ids
    assert [post.id for post in search.find(f"-(since_id:{middle})")] == [one for one in ids if one <= middle]
    assert search.find(f"since_time:{at} until_time:{at}") == []


def test_days_say_how_long_the_posts_are_spread():

    world = build_world(7, 300, 90)
    assert 89 * DAY_MS < NOW_MS - world.newest[-1].created_ms <= 90 * DAY_MS
