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
