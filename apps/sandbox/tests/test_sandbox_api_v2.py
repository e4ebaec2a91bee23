"""The official API: the same world by another wire, with its own limits, plans and words."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from xget_sandbox.app import Options, Sandbox
from xget_sandbox.errors import SandboxError

Ask = Any


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(Options(port=0, posts=600, limit_scale=1)) as running:
        yield running


@pytest.fixture
async def ask(sandbox: Sandbox) -> AsyncIterator[Ask]:
    async with httpx.AsyncClient(proxy=sandbox.proxy_url, verify=False, trust_env=False, timeout=60) as client:  # noqa: S501 - loopback

        async def get(path: str, bearer: str = "app", **asked: Any) -> httpx.Response:
            named = {name.replace("__", "."): value for name, value in asked.items()}
            return await client.get(
                f"https://api.x.com/2/{path}", params=named, headers={"authorization": f"Bearer {bearer}"}
            )

        get.client = client  # type: ignore[attr-defined] # for the requests that are not GET
        yield get


async def test_pages_of_a_search_follow_one_another_and_hold_what_the_web_lists(ask: Ask, sandbox: Sandbox) -> None:
    found: list[str] = []
    token: dict[str, str] = {}
    while True:
        sandbox.conditions.limits.clock.advance(2)
        body = (await ask("tweets/search/all", query="climate -is:retweet", start_time="2006-03-21T00:00:00Z",
                          max_results="10", **token)).json()  # fmt: skip
        found += [post["id"] for post in body["data"]]
        assert body["meta"]["result_count"] == len(body["data"])
        assert body["meta"]["newest_id"] == body["data"][0]["id"]
        if "next_token" not in body["meta"]:
            break
        token = {"next_token": body["meta"]["next_token"]}
    web = sandbox.truth.answer({"task_type": "KEYWORD_SEARCH", "query": "climate"})["matches"]
    assert found == list(map(str, web))
    assert len(found) > 20


async def test_only_what_was_asked_for_is_told_and_references_come_along(ask: Ask) -> None:
    bare = (await ask("tweets/search/recent", query="climate", max_results="10")).json()
    assert all(set(post) == {"id", "text", "edit_history_tweet_ids"} for post in bare["data"])
    assert "includes" not in bare
    full = (
        await ask(
            "tweets/search/all", query="is:quote (climate OR AI OR football)", max_results="100",
            tweet__fields="author_id,referenced_tweets", expansions="author_id,referenced_tweets.id",
        )
    ).json()  # fmt: skip
    included = {post["id"] for post in full["includes"]["tweets"]}
    assert {one["id"] for post in full["data"] for one in post["referenced_tweets"]} == included
    assert {post["author_id"] for post in full["data"]} <= {user["id"] for user in full["includes"]["users"]}


BAD = (
    ({"query": "climate min_faves:3"}, "Reference to invalid operator 'min_faves'"),
    ({"query": "lang:en"}, "at least one positive"),
    ({"query": "(climate"}, "missing ')'"),
    ({"query": "x" * 513}, "max allowed is 512"),
    ({"query": "climate", "max_results": "9"}, "is not between 10 and 100"),
    ({"query": "climate", "start_time": "2026-01-01T00:00:00Z"}, "must be on or after 2026-07-25T12:00Z"),
    ({"query": "climate", "end_time": "2026-08-01T12:00:00Z"}, "minimum of 10 seconds"),
    ({"query": "climate", "next_token": "xx"}, "is not valid"),
    ({"query": "climate", "tweet.fields": "colour"}, "[colour] is not one of"),
)


async def test_a_bad_request_is_refused_in_the_apis_words(ask: Ask) -> None:
    for asked, words in BAD:
        answer = await ask("tweets/search/recent", **asked)
        assert answer.status_code == 400
        assert words in answer.json()["errors"][0]["message"]


async def test_who_may_not_is_told_so(ask: Ask) -> None:
    assert (await ask("tweets/search/recent", bearer="bad-one", query="climate")).status_code == 401
    refused = await ask("tweets/search/recent", bearer="free-one", query="climate")
    assert (refused.status_code, refused.json()["reason"]) == (403, "client-not-enrolled")
    assert (await ask("tweets/search/all", bearer="basic-one", query="climate")).status_code == 403
    assert (await ask("nothing/here")).status_code == 404


async def test_users_who_cannot_be_seen_are_errors_beside_the_others(ask: Ask, sandbox: Sandbox) -> None:
    gone = next(one for one in sandbox.world.authors.values() if one.standing == "suspended")
    body = (await ask("users/by", usernames=f"elonmusk,nobody_here,{gone.handle}")).json()
    assert [user["username"] for user in body["data"]] == ["elonmusk"]
    assert [error["title"] for error in body["errors"]] == ["Not Found Error", "Forbidden"]


async def test_tokens_of_an_app_share_its_windows_and_its_projects_month(ask: Ask, sandbox: Sandbox) -> None:
    for count in range(75):
        last = await ask("tweets/1/retweeted_by", bearer=f"news~{count % 2}")
    assert (last.headers["x-rate-limit-limit"], last.headers["x-rate-limit-remaining"]) == ("75", "0")
    over = await ask("tweets/1/retweeted_by", bearer="news~0")
    assert (over.status_code, over.json()["title"]) == (429, "Too Many Requests")
    assert (await ask("tweets/1/retweeted_by", bearer="other")).status_code == 200
    sandbox.conditions.limits.clock.advance(901)
    assert (await ask("tweets/1/retweeted_by", bearer="news~1")).headers["x-rate-limit-remaining"] == "74"
    sandbox.api.credentials.set({"cap": 10, "projects": {"news": "ours", "other": "ours"}})
    assert (await ask("tweets/search/recent", bearer="news~0", query="climate")).status_code == 200
    capped = await ask("tweets/search/recent", bearer="other", query="climate")
    assert (capped.status_code, capped.json()["title"]) == (429, "UsageCapExceeded")
    sandbox.conditions.limits.clock.advance(32 * 86_400)
    assert (await ask("tweets/search/recent", bearer="other", query="climate")).status_code == 200


async def test_a_user_has_limits_of_his_own_and_not_all_that_an_app_may(ask: Ask) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": "refresh-anna", "client_id": "news"}
    anna = (await ask.client.post("https://api.x.com/2/oauth2/token", data=form)).json()["access_token"]
    seen = {who: await ask("users/44196397", bearer=who) for who in (anna, "news~0")}
    assert [answer.headers["x-rate-limit-limit"] for answer in seen.values()] == ["900", "300"]
    counts = await ask("tweets/counts/recent", bearer=anna, query="climate")
    assert (counts.status_code, counts.json()["title"]) == (403, "Unsupported Authentication")


async def test_one_search_of_the_archive_a_second_whatever_the_quarter_of_an_hour_has(ask: Ask) -> None:
    answers = [await ask("tweets/search/all", query="climate") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]
    assert answers[1].headers["x-rate-limit-remaining"] == "299"


async def test_limits_are_given_as_data_and_a_day_has_headers_of_its_own(ask: Ask, sandbox: Sandbox) -> None:
    given = {"usersIdFollowers": {"app": [[3, 900], [2, 86_400]], "user": []}}
    sandbox.api.credentials.set({"limits": given})
    answers = [await ask("users/44196397/followers") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    told = answers[2].headers
    assert (told["x-rate-limit-remaining"], told["x-app-limit-24hour-remaining"]) == ("1", "0")
    for wrong in ({"nothing": {}}, {"usersIdFollowers": {"app": [[0, 900]], "user": []}}, {"usersIdFollowers": 1}):
        with pytest.raises(SandboxError, match=r"api\.limits"):
            sandbox.api.credentials.set({"limits": wrong})


async def test_a_refresh_token_is_good_once(ask: Ask, sandbox: Sandbox) -> None:
    async def refresh(token: str) -> httpx.Response:
        form = {"grant_type": "refresh_token", "refresh_token": token, "client_id": "c"}
        answer: httpx.Response = await ask.client.post("https://api.x.com/2/oauth2/token", data=form)
        return answer

    given = (await refresh("refresh-anna")).json()
    assert (await ask("users/44196397", bearer=given["access_token"])).status_code == 200
    assert (await refresh("refresh-anna")).status_code == 400
    again = (await refresh(given["refresh_token"])).json()
    assert again["access_token"] != given["access_token"]
    sandbox.conditions.limits.clock.advance(7201)
    assert (await ask("users/44196397", bearer=again["access_token"])).status_code == 401


@pytest.mark.parametrize("authorization", [b"Basic \xc3\xa9", b"Basic a", b"Basic", b"Bearer any", b"Basic OmI="])
async def test_who_renews_without_a_client_id_is_refused(ask: Ask, authorization: bytes) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": "refresh-anna"}
    answer = await ask.client.post(
        "https://api.x.com/2/oauth2/token", data=form, headers={"authorization": authorization}
    )
    assert (answer.status_code, answer.json()["error"]) == (401, "unauthorized_client")
