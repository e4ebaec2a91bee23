"""Every fault can be ordered, strikes where it was ordered, and loses nothing of the world."""

from __future__ import annotations

import httpx
import pytest
from twscrape import gather

from xget_sandbox.errors import SandboxError
from xget_sandbox.faults import KINDS, Faults


def entries(answer: httpx.Response) -> tuple[list[str], str]:
    """Entry ids of a search page without cursors, and its bottom cursor."""
    listed = answer.json()["data"]["search_by_raw_query"]["search_timeline"]["timeline"]["instructions"]
    every = [entry for one in listed for entry in one.get("entries", [one["entry"]] if "entry" in one else [])]
    bottom = next(e["content"]["value"] for e in every if e["content"].get("cursorType") == "Bottom")
    return [entry["entryId"] for entry in every if entry["entryId"].startswith("tweet-")], bottom


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [("88", 429, 88), ("64", 403, 64), ("32", 401, 32), ("326", 403, 326), ("226", 403, 226), ("loadshed", 503, None)],
)
async def test_errors_of_x_strike_the_request_they_were_ordered_for(start, gql, kind, status, code):
    sandbox = await start(posts=60, faults=[f"{kind}@2"])
    answers = [await gql(sandbox, "SearchTimeline", rawQuery="AI") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, status, 200]
    assert answers[1].json()["errors"][0].get("code") == code
    assert int(answers[1].headers["x-rate-limit-remaining"]) > 0


async def test_a_429_comes_with_headers_and_passes(start, gql, ask):
    sandbox = await start(posts=60, faults=["429=60@1"])
    first = await gql(sandbox, "SearchTimeline", rawQuery="AI")
    assert (first.status_code, first.headers["x-rate-limit-remaining"]) == (429, "0")
    assert (await gql(sandbox, "SearchTimeline", rawQuery="AI")).status_code == 429
    await ask(sandbox, "clock", post={"advance": 61})
    assert (await gql(sandbox, "SearchTimeline", rawQuery="AI")).status_code == 200


async def test_cloudflare_answers_html(start, gql):
    answer = await gql(await start(posts=60, faults=["html@1"]), "SearchTimeline", rawQuery="AI")
    assert answer.status_code == 403
    assert "cf-ray" in answer.headers
    assert answer.headers["content-type"].startswith("text/html")


async def test_a_malformed_page_is_cut_json(start, gql):
    sandbox = await start(posts=60, faults=["malformed@1"])
    answer = await gql(sandbox, "SearchTimeline", rawQuery="AI")
    assert answer.status_code == 200
    with pytest.raises(ValueError):
        answer.json()


async def test_a_dropped_connection_breaks_in_the_body(start, gql):
    sandbox = await start(posts=60, faults=["drop@1"])
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        await gql(sandbox, "SearchTimeline", rawQuery="AI")
    assert (await gql(sandbox, "SearchTimeline", rawQuery="AI")).status_code == 200


async def test_a_slow_page_arrives_whole(start, gql):
    sandbox = await start(posts=60, faults=["slow=0.3@1"])
    answer = await gql(sandbox, "SearchTimeline", rawQuery="AI")
    assert answer.elapsed.total_seconds() > 0.2
    assert entries(answer)[0]


async def test_an_empty_page_leads_to_the_same_place_by_another_cursor(start, gql):
    sandbox = await start(posts=200, faults=["empty@2"])
    first, cursor = entries(await gql(sandbox, "SearchTimeline", rawQuery="climate"))
    nothing, onward = entries(await gql(sandbox, "SearchTimeline", rawQuery="climate", cursor=cursor))
    second, _ = entries(await gql(sandbox, "SearchTimeline", rawQuery="climate", cursor=onward))
    assert nothing == []
    assert onward != cursor
    assert second == entries(await gql(sandbox, "SearchTimeline", rawQuery="climate", cursor=cursor))[0]
    assert not set(first) & set(second)


async def test_a_repeated_cursor_leads_to_its_own_page(start, gql):
    sandbox = await start(posts=200, faults=["repeat-cursor@2"])
    _, cursor = entries(await gql(sandbox, "SearchTimeline", rawQuery="climate"))
    page, again = entries(await gql(sandbox, "SearchTimeline", rawQuery="climate", cursor=cursor))
    assert again == cursor
    same, onward = entries(await gql(sandbox, "SearchTimeline", rawQuery="climate", cursor=cursor))
    assert (same, onward != cursor) == (page, True)


async def test_twscrape_gives_an_account_up_and_reads_on_with_another(start, make_api, ask):
    sandbox = await start(posts=300, faults=["326@2", "64@4"])
    api = make_api(sandbox, "alice", "bob")
    tweets = await gather(api.search("AI"))
    truth = await ask(sandbox, "truth", task_type="KEYWORD_SEARCH", query="AI")
    assert [name for name, _ in api.pool.inactive] == ["alice"]
    assert {tweet.id_str for tweet in tweets} <= set(truth["matches"]) | set(truth["context"])
    log = (await ask(sandbox, "log"))["requests"]
    assert next(entry["fault"] for entry in log if entry["fault"]) == "326"


async def test_faults_can_be_set_while_it_runs(start, gql, ask):
    sandbox = await start(posts=60)
    assert await ask(sandbox, "faults", post={"faults": "500:UserByScreenName@1,html@2"}) == {
        "faults": ["500:UserByScreenName@1", "html@2"]
    }
    assert (await gql(sandbox, "UserByScreenName", screen_name="elonmusk")).status_code == 500
    statuses = [(await gql(sandbox, "SearchTimeline", rawQuery="AI")).status_code for _ in range(3)]
    assert statuses == [200, 403, 200]
    assert await ask(sandbox, "faults", post={"faults": []}) == {"faults": []}


def test_probable_faults_are_the_same_for_the_same_seed():
    def struck(seed: int) -> list[bool]:
        faults = Faults(["drop%0.3"], seed)
        return [faults.strike("SearchTimeline") is not None for _ in range(200)]

    assert struck(1) == struck(1) != struck(2)
    assert 30 < sum(struck(1)) < 90


@pytest.mark.parametrize(
    "text", ["429", "meteor@1", "429@0", "drop%2", "@3", "slow=x@1", "429@-1", "slow=1.2.3@1", "drop%0.1.2"]
)
def test_faults_that_make_no_sense_are_named(text):
    with pytest.raises(SandboxError, match="ault"):
        Faults([text], 1)


async def test_what_is_no_list_of_faults_is_refused(start, ask):
    sandbox = await start(posts=60, faults=["500@9"])
    for wrong in (5, None, True, {"429": 1}, [5]):
        assert "has to be a text" in (await ask(sandbox, "faults", post={"faults": wrong}))["error"]
    assert await ask(sandbox, "faults") == {"faults": ["500@9"]}


def test_all_kinds_are_accepted():
    assert len(Faults([",".join(f"{kind}@1" for kind in KINDS)], 1).active) == len(KINDS)
