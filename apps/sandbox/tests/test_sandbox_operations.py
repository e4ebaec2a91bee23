"""Every operation of the installed twscrape, parsed by it and compared with the truth."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from twscrape import API, api, gather

from xget_sandbox.graphql.world_source import WorldSource
from xget_sandbox.limits import PER_WINDOW
from xget_sandbox.replay import OPERATIONS
from xget_sandbox.source import TIMELINES
from xget_sandbox.world import World, build_world

STAR = 44196397
SINGLE = {"UserByScreenName", "UserByRestId", "AboutAccountQuery", "CommunityQuery"}


def operations() -> set[str]:
    return {str(value).split("/")[1] for name, value in vars(api).items() if name.startswith("OP_")}


def test_every_operation_of_twscrape_is_answered_by_world_and_replay():
    known = operations()
    assert len(known) > 20
    assert set(WorldSource(build_world(7, 20)).handlers) == known == OPERATIONS
    assert known == TIMELINES | SINGLE
    assert set(PER_WINDOW) <= known


@pytest.fixture(scope="module")
def world() -> World:
    return build_world(7, 1500)


def most(found: dict[int, list[Any]]) -> int:
    return max(found, key=lambda one: len(found[one]))


def quoted_most(world: World) -> int:
    quoted: dict[int, list[int]] = {}
    for post in world.newest:
        if post.quoted is not None:
            quoted.setdefault(post.quoted, []).append(post.id)
    return most(quoted)


def asked(world: World, task_type: str) -> dict[str, Any]:
    """Parameters under which a task type finds much."""
    if task_type == "QUOTES":
        return {"tweet_id": quoted_most(world)}
    if task_type == "RETWEETERS":
        return {"tweet_id": most(world.reposters)}
    if task_type.startswith("TWEET_"):
        return {"tweet_id": most(world.replies_to)}
    if task_type.startswith("LIST"):
        return {"list_id": 1001}
    if task_type.startswith("COMMUNITY"):
        return {"community_id": next(iter(world.communities))}
    return {"username": "elonmusk"}


def call(tw: API, task_type: str, about: dict[str, Any]) -> AsyncIterator[Any]:
    subject = next(iter(about.values()), None)
    calls = {
        "QUOTES": lambda: tw.search(f"quoted_tweet_id:{subject}"),
        "RETWEETERS": lambda: tw.retweeters(subject),
        "TWEET_REPLIES": lambda: tw.tweet_replies(subject),
        "LIST_TIMELINE": lambda: tw.list_timeline(subject),
        "LIST_MEMBERS": lambda: tw.list_members(subject),
        "COMMUNITY_TWEETS": lambda: tw.community_tweets(subject),
        "COMMUNITY_MEMBERS": lambda: tw.community_members(subject),
        "COMMUNITY_MODERATORS": lambda: tw.community_moderators(subject),
        "USER_MEDIA": lambda: tw.user_media(STAR),
        "USER_REPLIES": lambda: tw.user_tweets_and_replies(STAR),
        "USER_FOLLOWERS": lambda: tw.followers(STAR),
        "USER_FOLLOWING": lambda: tw.following(STAR),
        "VERIFIED_FOLLOWERS": lambda: tw.verified_followers(STAR),
        "SUBSCRIPTIONS": lambda: tw.subscriptions(STAR),
        "BOOKMARKS": tw.bookmarks,
        "TRENDS": lambda: tw.trends("trending"),
    }
    made: AsyncIterator[Any] = calls[task_type]()
    return made


POSTS = ("QUOTES", "TWEET_REPLIES", "LIST_TIMELINE", "COMMUNITY_TWEETS", "USER_MEDIA", "USER_REPLIES", "BOOKMARKS")
USERS = (
    "RETWEETERS", "LIST_MEMBERS", "COMMUNITY_MEMBERS", "COMMUNITY_MODERATORS", "USER_FOLLOWERS", "USER_FOLLOWING",
    "VERIFIED_FOLLOWERS", "SUBSCRIPTIONS",
)  # fmt: skip


@pytest.mark.parametrize("task_type", POSTS)
async def test_posts_are_found_as_the_truth_says(start, make_api, ask, world, task_type):
    sandbox = await start(posts=1500)
    about = asked(world, task_type)
    truth = await ask(sandbox, "truth", task_type=task_type, full=1, **about)
    found = {tweet.id_str: tweet for tweet in await gather(call(make_api(sandbox), task_type, about))}
    assert len(truth["matches"]) > 2
    assert set(truth["matches"]) <= set(found)
    for post_id in truth["matches"]:
        facts = truth["posts"][post_id]
        assert (found[post_id].rawContent, found[post_id].likeCount) == (facts["text"], facts["likes"])
        assert found[post_id].user.username == facts["author"]


@pytest.mark.parametrize("task_type", USERS)
async def test_users_are_found_as_the_truth_says(start, make_api, ask, world, task_type):
    sandbox = await start(posts=1500)
    about = asked(world, task_type)
    truth = await ask(sandbox, "truth", task_type=task_type, full=1, **about)
    found = {user.id_str: user for user in await gather(call(make_api(sandbox), task_type, about))}
    assert len(truth["matches"]) > 1
    assert set(found) == set(truth["matches"])
    assert {user.username for user in found.values()} == {facts["username"] for facts in truth["users"].values()}


async def test_a_thread_holds_the_whole_tree_and_each_answer_once(start, make_api, ask, gql):
    sandbox = await start(posts=4000)
    world, kinds = sandbox.world, set()
    branch = max((post for post in world.newest if post.reply_to), key=lambda post: len(world.conversation(post)))
    root = world.ancestors(branch)[0]
    truth = await ask(sandbox, "truth", task_type="TWEET_THREAD", tweet_id=root.id, whole=1)
    assert max(len(world.ancestors(world.posts[int(one)])) for one in truth["matches"]) > 1
    found: list[str] = []
    cursors: list[str | None] = [None]
    while cursors:
        cursor = cursors.pop()
        more = {} if cursor is None else {"cursor": cursor}
        for node in nodes((await gql(sandbox, "TweetDetail", focalTweetId=str(root.id), **more)).json()):
            if node.get("itemType") == "TimelineTweet":
                found.append(node["tweet_results"]["result"]["rest_id"])
            if node.get("cursorType") in ("ShowMore", "ShowMoreThreads"):
                kinds.add(node["cursorType"])
                cursors.append(node["value"])
    assert sorted(found) == sorted(truth["matches"])
    assert kinds == {"ShowMore", "ShowMoreThreads"}
    thread = {tweet.id_str for tweet in await gather(make_api(sandbox).tweet_thread(root.id))}
    assert thread <= set(truth["matches"])
    assert len(thread) > len(truth["matches"]) - 10


def nodes(node: Any) -> Any:
    """Every object of an answer."""
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from nodes(value)
    elif isinstance(node, list):
        for value in node:
            yield from nodes(value)


async def test_a_community_tells_about_itself_and_a_closed_one_only_that(start, make_api, ask, world):
    sandbox = await start(posts=300)
    tw = make_api(sandbox)
    for number in sandbox.world.communities:
        truth = (await ask(sandbox, "truth", task_type="COMMUNITY_INFO", community_id=number))["community"]
        info = await tw.community_info(number)
        assert info is not None
        assert (info.id, info.name, info.description) == (number, truth["name"], truth["description"])
        assert (info.memberCount, info.moderatorCount) == (truth["members"], truth["moderators"])
        assert ([rule.name for rule in info.rules], info.topicName) == (truth["rules"], truth["topic"])
    closed = next(one.id for one in sandbox.world.communities.values() if not one.open)
    assert await gather(tw.community_members(closed)) == await gather(tw.community_tweets(closed)) == []
    assert await tw.community_info(5) is None


async def test_an_account_tells_about_itself(start, make_api, ask):
    sandbox = await start(posts=100)
    tw = make_api(sandbox)
    for author in list(sandbox.world.authors.values())[::20]:
        truth = (await ask(sandbox, "truth", task_type="USER_ABOUT", username=author.handle))["about"]
        about = await tw.user_about(author.handle)
        assert about is not None
        assert (about.rest_id, about.screen_name, about.name) == (author.id, author.handle, author.name)
        assert about.account_based_in == truth["account_based_in"]
        assert about.username_changes == int(truth["username_changes"]["count"])
        assert (about.verified_since_msec is not None) == author.blue
    assert await tw.user_about("nobody_at_all") is None


async def test_trends_and_the_detail_of_a_post_are_in_the_truth(start, make_api, ask, world):
    sandbox = await start(posts=300)
    tw = make_api(sandbox)
    truth = await ask(sandbox, "truth", task_type="TRENDS")
    assert [trend.name for trend in await gather(tw.trends("news"))] == truth["matches"]
    reply = next(post for post in sandbox.world.newest if post.kind == "reply")
    detail = await ask(sandbox, "truth", task_type="TWEET_DETAIL", tweet_id=reply.id)
    assert detail["matches"] == [str(reply.id)]
    assert str(reply.reply_to) in detail["context"]
    assert (await tw.tweet_details(reply.id)).inReplyToTweetId == reply.reply_to
    unknown = await ask(sandbox, "truth", task_type="NOTHING")
    assert "TWEET_THREAD" in unknown["error"]
    assert "tweet_id is a number" in (await ask(sandbox, "truth", task_type="QUOTES", tweet_id="x"))["error"]
