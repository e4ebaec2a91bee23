"""User timelines, conversations, lists and trends through unmodified twscrape."""

from __future__ import annotations

import pytest
from twscrape import gather

STAR = 44196397


@pytest.mark.parametrize("replies", [False, True])
async def test_a_timeline_read_to_its_end_is_the_truth(start, make_api, ask, replies):
    sandbox = await start()
    api = make_api(sandbox)
    tweets = await gather(api.user_tweets_and_replies(STAR) if replies else api.user_tweets(STAR))
    truth = await ask(
        sandbox, "truth", task_type="USER_TWEETS", username="elonmusk", include_replies=int(replies), full=1
    )
    found = {tweet.id_str: tweet for tweet in tweets}
    mine = set(truth["matches"])
    assert mine <= set(found)
    reposted = {facts["reposted"] for facts in truth["posts"].values()}
    assert set(truth["context"]) - reposted <= set(found)
    assert {post_id for post_id, tweet in found.items() if tweet.user.id == STAR} <= mine | set(truth["context"])
    for post_id in mine:
        tweet, facts = found[post_id], truth["posts"][post_id]
        assert tweet.rawContent == facts["text"]
        assert (tweet.retweetedTweet.id_str if tweet.retweetedTweet else None) == facts["reposted"]
        assert (tweet.quotedTweet.id_str if tweet.quotedTweet else None) == facts["quoted"]
        assert tweet.inReplyToTweetIdStr == facts["reply_to"]
        assert len(tweet.media.photos + tweet.media.videos + tweet.media.animated) == len(facts["media"])
    kinds = {truth["posts"][post_id]["kind"] for post_id in mine}
    assert kinds == {"post", "quote", "repost", "reply"} if replies else {"post", "quote", "repost"}


async def test_the_pinned_post_comes_first_and_once(start, gql, ask):
    sandbox = await start()
    truth = await ask(sandbox, "truth", task_type="USER_TWEETS", username="elonmusk")
    answer = (await gql(sandbox, "UserTweets", userId=str(STAR), count=40)).json()
    listed = answer["data"]["user"]["result"]["timeline"]["timeline"]["instructions"]
    pin = next(one["entry"] for one in listed if one["type"] == "TimelinePinEntry")
    assert pin["entryId"] == f"tweet-{truth['matches'][0]}"
    assert len(set(truth["matches"])) == truth["count"]


async def test_reposts_can_be_left_out_and_a_limit_cuts(start, ask):
    sandbox = await start()
    asked = {"task_type": "USER_TWEETS", "username": "elonmusk"}
    everything = await ask(sandbox, "truth", **asked, full=1)
    without = await ask(sandbox, "truth", **asked, include_retweets="false", limit=10)
    own = [one for one in everything["matches"] if everything["posts"][one]["kind"] != "repost"]
    assert without["matches"] == own[:10]


async def test_posts_with_media_are_listed_alone(start, make_api):
    sandbox = await start()
    tweets = await gather(make_api(sandbox).user_media(STAR))
    with_media = {post.id for post in sandbox.world.by_author[STAR] if post.media}
    assert {tweet.id for tweet in tweets} >= with_media > set()


async def test_a_conversation_has_all_replies_and_its_ancestors(start, make_api):
    sandbox = await start(posts=2000)
    world, api = sandbox.world, make_api(sandbox)
    busiest = max(world.replies_to, key=lambda one: len(world.replies_to[one]))
    assert len(world.replies_to[busiest]) > 10
    replies = await gather(api.tweet_replies(busiest))
    assert {tweet.id for tweet in replies} == {post.id for post in world.replies_to[busiest]}
    detail = await api.tweet_details(busiest)
    assert detail is not None
    assert detail.replyCount == len(world.replies_to[busiest])
    reply = world.replies_to[busiest][0]
    thread = await gather(api.tweet_thread(reply.id))
    assert reply.id in {tweet.id for tweet in thread} or reply.conversation_id != reply.id


async def test_reposters_list_members_and_trends_are_told(start, make_api):
    sandbox = await start()
    world, api = sandbox.world, make_api(sandbox)
    reposted = max(world.reposters, key=lambda one: len(world.reposters[one]))
    assert {user.id for user in await gather(api.retweeters(reposted))} == set(world.reposters[reposted])
    assert {user.id for user in await gather(api.list_members(1001))} == set(world.lists[1001])
    assert {"#climate"} <= {trend.name for trend in await gather(api.trends("trending"))}
    assert len(await gather(api.list_timeline(1001, limit=40))) >= 40


async def test_polls_cards_and_long_posts_are_understood(start, make_api):
    sandbox = await start(posts=1000)
    world = sandbox.world
    tweets = {tweet.id: tweet for tweet in await gather(make_api(sandbox).search("climate OR AI OR quantum"))}
    polled = [post for post in world.newest if post.poll and post.id in tweets]
    carded = [post for post in world.newest if post.preview and post.id in tweets]
    noted = [post for post in world.newest if post.is_note and post.id in tweets]
    assert min(len(polled), len(carded), len(noted)) > 3
    for post in polled:
        card = tweets[post.id].card
        assert tuple((option.label, option.votesCount) for option in card.options) == post.poll.options
    for post in carded:
        assert tweets[post.id].card.title == post.preview.title
        assert tweets[post.id].links[0].tcourl == post.preview.tco
    for post in noted:
        assert tweets[post.id].rawContent == post.plain
