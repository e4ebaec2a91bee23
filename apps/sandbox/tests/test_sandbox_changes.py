"""Posts that go, are withheld or edited, and people that change, while a world is being read."""

from __future__ import annotations

import pytest
from twscrape import gather

from xget_sandbox.errors import SandboxError
from xget_sandbox.world.changes import check


async def test_deleted_posts_leave_lists_without_moving_the_others(start, gql, ask, make_api):
    sandbox = await start(posts=400)
    before = await ask(sandbox, "truth", task_type="SEARCH", query="climate")
    gone = before["matches"][:25]
    tweets = make_api(sandbox).search("climate")
    first = [await anext(tweets) for _ in range(10)]
    done = await ask(sandbox, "change", post={"delete": gone})
    assert done == {"delete": 25}
    rest = [tweet.id_str async for tweet in tweets]
    truth = await ask(sandbox, "truth", task_type="SEARCH", query="climate")
    assert truth["matches"] == before["matches"][25:]
    assert set(truth["gone"].values()) == {"deleted"}
    assert set(truth["matches"]) <= {*rest, *(tweet.id_str for tweet in first)}
    answer = (await gql(sandbox, "TweetDetail", focalTweetId=gone[0])).json()
    assert answer["errors"][0]["code"] == 144
    await ask(sandbox, "change", post={"restore": gone})
    assert (await ask(sandbox, "truth", task_type="SEARCH", query="climate"))["matches"] == before["matches"]


@pytest.mark.parametrize(
    ("kind", "words"), [("delete", "was deleted"), ("withhold", "withheld"), ("age_gate", "Age-restricted")]
)
async def test_stand_ins_are_shown_where_a_post_is_quoted_or_answered(start, gql, ask, kind, words):
    sandbox = await start(posts=400)
    world = sandbox.world
    quote = next(post for post in world.newest if post.quoted)
    reply = next(post for post in world.newest if post.reply_to)
    await ask(sandbox, "change", post={kind: [str(quote.quoted), str(reply.reply_to)]})
    for post in (quote, reply):
        answer = await gql(sandbox, "TweetDetail", focalTweetId=str(post.id))
        assert b'"TweetTombstone"' in answer.content
        assert words in answer.text
    if kind != "delete":
        answer = await gql(sandbox, "TweetDetail", focalTweetId=str(quote.quoted))
        assert words in answer.text


async def test_an_edited_post_has_a_new_number_and_its_history(start, ask, make_api):
    sandbox = await start(posts=400)
    before = await ask(sandbox, "truth", task_type="SEARCH", query="quantum", full=1)
    old = before["matches"][0]
    await ask(sandbox, "change", post={"edit": [old]})
    truth = await ask(sandbox, "truth", task_type="SEARCH", query="quantum", full=1)
    new = truth["matches"][0]
    assert (len(truth["matches"]), truth["matches"][1:]) == (before["count"], before["matches"][1:])
    assert truth["posts"][new]["versions"] == [old]
    found = {tweet.id_str: tweet for tweet in await gather(make_api(sandbox).search("quantum"))}
    assert old not in found
    assert found[new].rawContent == truth["posts"][new]["text"]
    assert [str(one) for one in found[new].editControl["edit_tweet_ids"]] == [old, new]


async def test_people_are_suspended_protected_renamed_and_removed(start, ask, gql, make_api):
    sandbox = await start(posts=400)
    tw, world = make_api(sandbox), sandbox.world
    busy = sorted(world.by_author, key=lambda one: -len(world.by_author[one]))[1:5]
    names = [world.authors[one].handle for one in busy]
    change = {"suspend": [names[0]], "protect": [names[1]], "remove": [names[2]], "rename": {names[3]: "somebody_new"}}
    done = await ask(sandbox, "change", post=change)
    assert done == {"suspend": 1, "protect": 1, "remove": 1, "rename": 1}
    assert await tw.user_by_login(names[0]) is None
    assert (await tw.user_by_login(names[1])).protected is True
    assert await tw.user_by_login(names[2]) is None
    assert await tw.user_by_login(names[3]) is None
    assert (await tw.user_by_login("somebody_new")).id == busy[3]
    answer = (await gql(sandbox, "UserByRestId", userId=str(busy[2]))).json()
    assert answer == {"data": {"user": {}}}
    truth = await ask(sandbox, "truth", task_type="SEARCH", query="climate OR AI")
    found = {tweet.user.id for tweet in await gather(tw.search("climate OR AI"))}
    assert not found & set(busy[:1])
    assert set(truth["gone"].values()) <= {"suspended", "protected", "removed"}
    assert await gather(tw.user_tweets(busy[1])) == []
    followers = await ask(sandbox, "truth", task_type="FOLLOWERS", username="elonmusk")
    assert {user.id_str for user in await gather(tw.followers(44196397))} == set(followers["matches"])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, "object"), ({"explode": []}, "unknown change"), ({"delete": "x"}, "list of ids"),
        ({"delete": {"query": "x", "share": 2}}, "share"), ({"suspend": "x"}, "user names"),
        ({"rename": ["x"]}, "rename"), ({"rename": {"elonmusk": "no name"}}, "1 to 15 letters"),
    ],
)  # fmt: skip
def test_mistakes_in_changes_are_named(change, words):
    with pytest.raises(SandboxError, match=words):
        check(change)


async def test_a_change_of_what_is_not_there_changes_nothing(start, ask):
    sandbox = await start(posts=60)
    told = await ask(sandbox, "change", post={"delete": ["5"], "suspend": ["elonmusk"]})
    assert "no post 5" in told["error"]
    assert sandbox.world.life.changes == 0


async def test_a_name_that_somebody_has_is_given_to_nobody_else(start, ask, make_api):
    sandbox = await start(posts=60)
    for change in ({"quiet_acct": "ElonMusk"}, {"quiet_acct": "one_name", "elonmusk": "One_name"}):
        assert "already" in (await ask(sandbox, "change", post={"rename": change}))["error"]
    assert sandbox.world.life.changes == 0
    before = {name: sandbox.world.handles[name].id for name in ("quiet_acct", "elonmusk")}
    await ask(sandbox, "change", post={"rename": {"quiet_acct": "elonmusk", "elonmusk": "quiet_acct"}})
    tw = make_api(sandbox)
    assert (await tw.user_by_login("elonmusk")).id == before["quiet_acct"]
    assert (await tw.user_by_login("quiet_acct")).id == before["elonmusk"]


async def test_who_is_suspended_is_in_no_community(start, ask, make_api):
    sandbox = await start(posts=60)
    number, tw = 1501272736215322629, make_api(sandbox)
    suspended, removed = (await gather(tw.community_members(number)))[3:5]
    await ask(sandbox, "change", post={"suspend": [suspended.username], "remove": [removed.username]})
    truth = await ask(sandbox, "truth", task_type="COMMUNITY_MEMBERS", community_id=number)
    found = [user.id_str for user in await gather(tw.community_members(number))]
    assert found == truth["matches"]
    assert not {suspended.id_str, removed.id_str} & set(found)
