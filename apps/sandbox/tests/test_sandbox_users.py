"""Profiles, followers and follows through unmodified twscrape."""

from __future__ import annotations

import pytest
from twscrape import gather

from xget_sandbox.world.authors import PROTECTED, QUIET, SUSPENDED

STAR = 44196397


async def test_a_profile_tells_what_the_world_knows(start, make_api, ask):
    sandbox = await start()
    api = make_api(sandbox)
    truth = await ask(sandbox, "truth", task_type="USER_INFO", username="ElonMusk", full=1)
    facts = truth["users"][str(STAR)]
    for user in (await api.user_by_login("elonmusk"), await api.user_by_id(STAR)):
        assert user is not None
        assert user.id == STAR
        assert user.username == facts["username"] == "elonmusk"
        assert (user.followersCount, user.friendsCount) == (facts["followers"], facts["following"])
        assert user.statusesCount == facts["posts"]
        assert user.created.strftime("%Y-%m-%dT%H:%M:%SZ") == facts["created_at"]
        assert user.pinnedIds == [sandbox.world.pinned(STAR).id]


@pytest.mark.parametrize("handle", ["nobody_at_all", SUSPENDED])
async def test_users_that_are_not_there_are_none(start, make_api, handle):
    assert await make_api(await start()).user_by_login(handle) is None


async def test_x_says_in_its_own_words_what_is_missing(start, gql):
    sandbox = await start(posts=50)
    assert (await gql(sandbox, "UserByScreenName", screen_name="nobody")).json() == {"data": {"user": {}}}
    suspended = (await gql(sandbox, "UserByScreenName", screen_name=SUSPENDED)).json()["data"]["user"]["result"]
    assert (suspended["__typename"], suspended["reason"]) == ("UserUnavailable", "Suspended")
    gone = (await gql(sandbox, "TweetDetail", focalTweetId="12")).json()
    assert gone["errors"][0]["message"].startswith("_Missing: No status found with that ID")
    assert (await gql(sandbox, "NoSuchOperation")).status_code == 404


async def test_a_protected_user_shows_a_profile_and_no_posts(start, make_api, ask):
    sandbox = await start(posts=100)
    api = make_api(sandbox)
    user = await api.user_by_login(PROTECTED)
    assert user is not None
    assert user.protected is True
    assert await gather(api.user_tweets(user.id)) == []
    assert (await ask(sandbox, "truth", task_type="USER_TWEETS", username=PROTECTED))["matches"] == []


async def test_a_user_without_posts_has_an_empty_timeline(start, make_api):
    sandbox = await start(posts=100)
    assert await gather(make_api(sandbox).user_tweets(sandbox.world.handles[QUIET].id)) == []


@pytest.mark.parametrize("task_type", ["USER_FOLLOWERS", "USER_FOLLOWING"])
async def test_relations_read_to_their_end_are_the_truth_in_order(start, make_api, ask, task_type):
    sandbox = await start()
    api = make_api(sandbox)
    users = await gather(api.followers(STAR) if task_type == "USER_FOLLOWERS" else api.following(STAR))
    truth = await ask(sandbox, "truth", task_type=task_type, username="elonmusk")
    assert [user.id_str for user in users] == truth["matches"]
    assert truth["count"] > 100


async def test_people_are_found_by_name(start, make_api):
    sandbox = await start(posts=100)
    people = await gather(make_api(sandbox).search_user("musk"))
    assert "elonmusk" in {user.username for user in people}
