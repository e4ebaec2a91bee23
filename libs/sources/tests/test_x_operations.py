"""Every operation of twscrape belongs to a task type, and every task type collects what there is."""

from __future__ import annotations

import inspect
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from twscrape import api as twscrape_api

from xget_sources.ports import CollectRequest, RawPage, SourceStopped
from xget_sources.x import plans, single
from xget_sources.x.tasks import TASK_TYPES

OPEN, CLOSED = "1501272736215322629", "1601841656147345410"


def native_ids(pages: list[RawPage]) -> list[str]:
    return list(dict.fromkeys(key.rpartition(":")[2] for page in pages for key in page.entry_keys))


def test_every_operation_of_twscrape_belongs_to_a_task_type() -> None:
    offered = {value.split("/")[-1] for name, value in vars(twscrape_api).items() if name.startswith("OP_")}
    used = {operation for spec in TASK_TYPES.values() for operation in spec.operations}
    assert used == offered, "twscrape has operations that no task type uses, or lost some that one needs"


def test_every_raw_method_of_twscrape_is_called_by_the_source() -> None:
    methods = {name for name in vars(twscrape_api.API) if name.endswith("_raw")}
    text = inspect.getsource(plans) + inspect.getsource(single)
    assert {name for name in methods if name not in text} == set()


def subjects(world: Any, task_type: str) -> dict[str, str]:
    """Something that a task of this type finds more than nothing about."""
    busiest = max(world.replies_to, key=lambda post: len(world.replies_to[post]))
    chosen: dict[str, dict[str, str]] = {
        "username": {"username": "elonmusk"},
        "list_id": {"list_id": str(next(iter(world.lists)))},
        "community_id": {"community_id": OPEN},
        "tweet_id": {"tweet_id": str(busiest)},
        "hashtag": {"hashtag": "AI"},
        "query": {"query": "AI OR 人工智能"},
    }
    if task_type == "USER_SEARCH":
        return {"query": "a"}
    if task_type == "QUOTES":
        return {"tweet_id": str(next(post.quoted for post in world.newest if post.quoted))}
    if task_type == "RETWEETERS":
        return {"tweet_id": str(max(world.reposters, key=lambda post: len(world.reposters[post])))}
    if task_type == "TWEET_THREAD":
        return {"tweet_id": str(longest_thread(world)[0].id)}
    return chosen.get(next(iter(TASK_TYPES[task_type].subjects), ""), {})


def longest_thread(world: Any) -> list[Any]:
    """The posts of the longest thread of one author."""
    chains = []
    for first in (post for post in world.newest if post.reply_to is None):
        chain = [first]
        while own := [one for one in world.replies_to.get(chain[-1].id, []) if one.author_id == first.author_id]:
            chain.append(own[0])
        chains.append(chain)
    return max(chains, key=len)


@pytest.mark.parametrize("task_type", [name for name in TASK_TYPES if name != "TRENDS"])
async def test_a_task_of_each_type_finds_exactly_what_there_is(
    start: Any, lender: Any, gather: Any, source: Any, task_type: str
) -> None:
    sandbox = await start(posts=900, rich=True)
    params = subjects(sandbox.world, task_type)
    pages = await gather(lender(sandbox.proxy_url), task_type, **params)
    truth = sandbox.truth.answer({"task_type": task_type, **params})["matches"]
    assert sorted(native_ids(pages)) == sorted(truth)
    assert truth
    assert pages[-1].end_reason == ("ranking_ended" if task_type == "USER_SEARCH" else "exhausted")
    assert {page.operation for page in pages} <= set(TASK_TYPES[task_type].operations)
    for cut in range(1, len(pages)):
        rest = await gather(lender(sandbox.proxy_url), task_type, cursor=pages[cut - 1].cursor_out, **params)
        assert sorted(set(native_ids(pages[:cut])) | set(native_ids(rest))) == sorted(truth)


async def test_a_thread_is_found_from_any_of_its_posts(start: Any, lender: Any, gather: Any) -> None:
    sandbox = await start(posts=300, rich=True)
    thread = longest_thread(sandbox.world)
    assert len(thread) > 5
    for post in (thread[2], thread[-1]):
        pages = await gather(lender(sandbox.proxy_url), "TWEET_THREAD", tweet_id=str(post.id))
        assert sorted(native_ids(pages)) == sorted(str(one.id) for one in thread)


async def test_a_number_is_enough_for_what_x_says_about_an_account(start: Any, lender: Any, gather: Any) -> None:
    sandbox = await start()
    by_name = await gather(lender(sandbox.proxy_url), "USER_ABOUT", username="elonmusk")
    number = native_ids(by_name)[0]
    by_number = await gather(lender(sandbox.proxy_url), "USER_ABOUT", user_id=number)
    assert [page.counts for page in by_number] == [False, True]
    assert native_ids(by_number) == [number]


@pytest.mark.parametrize(
    ("task_type", "params", "reason"),
    [
        ("COMMUNITY_TWEETS", {"community_id": CLOSED}, "unavailable"),
        ("COMMUNITY_MEMBERS", {"community_id": CLOSED}, "unavailable"),
        ("COMMUNITY_MODERATORS", {"community_id": CLOSED}, "unavailable"),
        ("COMMUNITY_INFO", {"community_id": "12"}, "unavailable"),
        ("LIST_TIMELINE", {"list_id": "12"}, "unavailable"),
        ("LIST_MEMBERS", {"list_id": "12"}, "unavailable"),
        ("TWEET_DETAIL", {"tweet_id": "12"}, "not_found"),
        ("TWEET_REPLIES", {"tweet_id": "12"}, "not_found"),
        ("TWEET_THREAD", {"tweet_id": "12"}, "not_found"),
        ("USER_ABOUT", {"username": "nobody_here"}, "not_found"),
        ("USER_ABOUT", {"username": "suspended_acct"}, "suspended"),
        ("USER_INFO", {"username": "suspended_acct"}, "suspended"),
        ("USER_INFO", {"user_id": "12"}, "not_found"),
        ("USER_REPLIES", {"username": "protected_acct"}, "protected"),
        ("SUBSCRIPTIONS", {"user_id": "1000002"}, "protected"),
        ("VERIFIED_FOLLOWERS", {"user_id": "12"}, "not_found"),
    ],
)
async def test_what_x_does_not_show_ends_with_its_own_reason(
    start: Any, lender: Any, gather: Any, *, task_type: str, params: dict[str, str], reason: str
) -> None:
    sandbox = await start(posts=300)
    with pytest.raises(SourceStopped) as stopped:
        await gather(lender(sandbox.proxy_url), task_type, **params)
    assert (stopped.value.reason, stopped.value.retryable) == (reason, False)
    assert stopped.value.detail.endswith(".")


async def test_a_window_of_the_run_narrows_that_of_the_search(start: Any, lender: Any, source: Any) -> None:
    sandbox = await start(posts=900)
    times = [post.created_ms for post in sandbox.world.newest]
    since, until = (datetime.fromtimestamp(times[place] / 1000, UTC).replace(microsecond=0) for place in (600, 200))
    request = CollectRequest(task_type="KEYWORD_SEARCH", parameters={"query": "AI"}, since=since, until=until)
    pages = [page async for page in source.collect(request, lender(sandbox.proxy_url), None)]
    asked = {"task_type": "KEYWORD_SEARCH", "query": "AI", "since": since.isoformat(), "until": until.isoformat()}
    assert sorted(native_ids(pages)) == sorted(sandbox.truth.answer(asked)["matches"])
    assert all(page.oldest_at is None or since <= page.oldest_at <= page.newest_at < until for page in pages)
    assert pages[0].oldest_at is not None


@pytest.mark.parametrize("task_type", ["TWEET_REPLIES", "TWEET_THREAD"])
async def test_a_post_that_is_deleted_between_pages_ends_the_rest_of_its_conversation(
    start: Any, lender: Any, gather: Any, task_type: str
) -> None:
    sandbox = await start(posts=2000, rich=True)
    world = sandbox.world
    focal = max(world.replies_to, key=lambda post: len(world.replies_to[post]))
    (first,) = await gather(lender(sandbox.proxy_url), task_type, most=1, tweet_id=str(focal))
    assert first.end_reason is None
    world.life.gone[focal] = "deleted"
    world.life.changes += 1
    with pytest.raises(SourceStopped) as stopped:
        await gather(lender(sandbox.proxy_url), task_type, cursor=first.cursor_out, tweet_id=str(focal))
    assert (stopped.value.reason, stopped.value.retryable) == ("not_found", False)


@pytest.mark.parametrize("how", ["suspended", "removed"])
async def test_a_user_who_goes_between_pages_ends_the_timeline(start: Any, lender: Any, gather: Any, how: str) -> None:
    sandbox = await start(posts=2000)
    (_, first) = await gather(lender(sandbox.proxy_url), "USER_TWEETS", most=2, username="elonmusk")
    author = sandbox.world.handles["elonmusk"]
    sandbox.world.authors[author.id] = replace(author, standing=how)
    with pytest.raises(SourceStopped) as stopped:
        await gather(lender(sandbox.proxy_url), "USER_TWEETS", cursor=first.cursor_out, username="elonmusk")
    assert stopped.value.reason == ("suspended" if how == "suspended" else "not_found")
