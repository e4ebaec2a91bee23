"""Unmodified twscrape collects searches; what it gets is the truth."""

from __future__ import annotations

from twscrape import gather


async def test_a_search_read_to_its_end_is_the_truth_in_order(start, make_api, ask):
    sandbox = await start()
    tweets = await gather(make_api(sandbox).search("AI OR 人工智能"))
    truth = await ask(sandbox, "truth", task_type="KEYWORD_SEARCH", query="AI OR 人工智能", full=1)
    found = {tweet.id_str: tweet for tweet in tweets}
    assert set(found) == set(truth["matches"]) | set(truth["context"])
    assert [one for one in found if one in set(truth["matches"])][:20] == truth["matches"][:20]
    assert truth["count"] > 120
    for post_id, facts in truth["posts"].items():
        tweet = found[post_id]
        assert tweet.rawContent == facts["text"]
        assert tweet.user.id_str == facts["author_id"]
        assert (tweet.lang, tweet.likeCount, tweet.viewCount) == (facts["lang"], facts["likes"], facts["views"])
        assert tweet.date.strftime("%Y-%m-%dT%H:%M:%SZ") == facts["created_at"]
        assert tweet.hashtags == facts["hashtags"] or post_id not in truth["matches"] or len(tweet.rawContent) > 280


async def test_filters_of_a_task_are_part_of_the_truth(start, ask):
    sandbox = await start()
    asked = {"task_type": "KEYWORD_SEARCH", "query": "climate OR AI"}
    everything = await ask(sandbox, "truth", **asked, full=1)
    posts = {one: everything["posts"][one] for one in everything["matches"]}
    chinese = await ask(sandbox, "truth", **asked, lang="zh")
    july = await ask(sandbox, "truth", **asked, since="2026-07-01", until="2026-08-01")
    moment = await ask(sandbox, "truth", **asked, since="2026-07-01T00:00:00+00:00", until="2026-08-01")
    without = await ask(sandbox, "truth", **asked, include_replies="false")
    reposts = await ask(sandbox, "truth", **asked, include_retweets="true", full=1)
    assert chinese["matches"] == [one for one, facts in posts.items() if facts["lang"] == "zh"]
    assert july["matches"] == [one for one, facts in posts.items() if facts["created_at"].startswith("2026-07")]
    assert moment["matches"] == july["matches"]
    assert without["matches"] == [one for one, facts in posts.items() if facts["kind"] != "reply"]
    assert "repost" in {facts["kind"] for facts in reposts["posts"].values()}
    assert set(reposts["matches"]) > set(posts)


async def test_top_is_another_order_of_the_same_posts(start, make_api, ask):
    sandbox = await start()
    asked = {"task_type": "KEYWORD_SEARCH", "query": "量子"}
    latest, top = await ask(sandbox, "truth", **asked), await ask(sandbox, "truth", **asked, product="Top", full=1)
    assert sorted(latest["matches"]) == sorted(top["matches"])
    likes = [top["posts"][one]["likes"] for one in top["matches"]]
    assert likes == sorted(likes, reverse=True)
    tweets = await gather(make_api(sandbox).search("量子", kv={"product": "Top"}))
    assert {tweet.id_str for tweet in tweets} == set(top["matches"]) | set(top["context"])


async def test_hashtags_are_searched_as_marks(start, make_api, ask):
    sandbox = await start()
    truth = await ask(sandbox, "truth", task_type="HASHTAG_SEARCH", hashtag="人工智能", full=1)
    tweets = await gather(make_api(sandbox).search("#人工智能"))
    assert {tweet.id_str for tweet in tweets} == set(truth["matches"]) | set(truth["context"])
    assert truth["matches"]
    assert all("人工智能" in truth["posts"][one]["hashtags"] for one in truth["matches"])


async def test_a_search_without_matches_ends_at_once(start, make_api, ask):
    sandbox = await start(posts=60)
    assert await gather(make_api(sandbox).search("zzzz")) == []
    assert len((await ask(sandbox, "log"))["requests"]) <= 3
