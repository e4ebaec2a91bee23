"""Sessions, limits and the proxy's manners."""

from __future__ import annotations

import httpx
import pytest
from twscrape import gather


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"cookie": "ct0=csrf"}, 401, 32),
        ({"authorization": ""}, 401, 32),
        ({"x-csrf-token": "other"}, 403, 353),
        ({"cookie": "auth_token=a"}, 403, 353),
    ],
)
async def test_a_request_without_a_whole_session_is_refused(start, gql, headers, status, code):
    answer = await gql(await start(posts=20), "SearchTimeline", headers=headers, rawQuery="AI")
    assert answer.status_code == status
    assert answer.json()["errors"][0]["code"] == code


async def test_a_transaction_id_of_another_page_is_not_found(start, gql):
    sandbox = await start(posts=20)
    for header in ("", "nonsense", "AAAA" * 24):
        answer = await gql(sandbox, "SearchTimeline", headers={"x-client-transaction-id": header}, rawQuery="AI")
        assert answer.status_code == 404


async def test_twscrape_renews_an_id_of_another_seed_by_itself(start, make_api):
    first = await start(posts=60, seed=1)
    assert await make_api(first).user_by_login("elonmusk")
    second = await start(posts=60, seed=2)
    assert await make_api(second).user_by_login("elonmusk")


async def test_without_a_session_x_serves_the_logged_out_app(start):
    sandbox = await start(posts=20)
    async with httpx.AsyncClient(proxy=sandbox.proxy_url, timeout=60) as client:
        assert "entry-client-logged-out" in (await client.get("https://x.com/tesla")).text


async def test_limits_are_told_and_kept_per_account_and_operation(start, gql, ask):
    sandbox = await start(posts=100, limit_scale=0.04)
    answers = [await gql(sandbox, "SearchTimeline", rawQuery="AI") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [answer.headers["x-rate-limit-remaining"] for answer in answers] == ["1", "0", "0"]
    assert answers[0].headers["x-rate-limit-limit"] == "2"
    assert (await gql(sandbox, "SearchTimeline", account="bob", rawQuery="AI")).status_code == 200
    assert (await gql(sandbox, "UserByScreenName", screen_name="elonmusk")).status_code == 200
    await ask(sandbox, "clock", post={"advance": 901})
    assert (await gql(sandbox, "SearchTimeline", rawQuery="AI")).status_code == 200
    await ask(sandbox, "limits", post={"scale": 1})
    again = await gql(sandbox, "SearchTimeline", rawQuery="AI")
    assert again.headers["x-rate-limit-limit"] == "50"


@pytest.mark.slow
async def test_the_default_limits_let_one_account_read_a_hundred_pages(start, make_api, ask):
    sandbox = await start(posts=4000)
    tweets = await gather(make_api(sandbox).search("climate"))
    truth = await ask(sandbox, "truth", task_type="KEYWORD_SEARCH", query="climate")
    assert truth["count"] >= 2000
    assert set(truth["matches"]) <= {tweet.id_str for tweet in tweets}


async def test_hosts_of_the_real_internet_are_not_reached(start):
    sandbox = await start(posts=20)
    async with httpx.AsyncClient(proxy=sandbox.proxy_url, timeout=60) as client:
        assert (await client.get("http://example.com/")).status_code == 502
        with pytest.raises(httpx.ProxyError, match="502"):
            await client.get("https://example.com/")
        assert (await client.get("https://pbs.twimg.com/media/any.jpg")).status_code == 200
        assert "twitter-site-verification" in (await client.get("http://x.com/tesla")).text


async def test_the_log_tells_who_asked_for_what(start, gql, ask):
    sandbox = await start(posts=50, faults=["empty@1"])
    await gql(sandbox, "SearchTimeline", account="bob", rawQuery="AI")
    (entry,) = (await ask(sandbox, "log"))["requests"]
    assert (entry["operation"], entry["account"], entry["status"]) == ("SearchTimeline", "token-bob", 200)
    assert (entry["fault"], entry["query"], entry["n"]) == ("empty", "AI", 1)
    assert (await ask(sandbox, "log", after=1))["requests"] == []


async def test_wrong_questions_get_a_sentence(start, ask):
    sandbox = await start(posts=20)
    assert "task_type" in (await ask(sandbox, "truth", task_type="NOPE"))["error"]
    assert "query" in (await ask(sandbox, "truth", task_type="KEYWORD_SEARCH"))["error"]
    assert "limit" in (await ask(sandbox, "truth", task_type="USER_TWEETS", username="elonmusk", limit="x"))["error"]
    assert "since" in (await ask(sandbox, "truth", task_type="KEYWORD_SEARCH", query="AI", since="soon"))["error"]
    assert "advance" in (await ask(sandbox, "clock", post={"advance": "much"}))["error"]
    assert "kind@n" in (await ask(sandbox, "faults", post={"faults": "meteor@3"}))["error"]
    assert "truth" in (await ask(sandbox, "nothing"))["error"]
