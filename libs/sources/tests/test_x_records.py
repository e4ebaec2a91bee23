"""Stored pages of X: a record is found by its key, and an author is taken out without touching anybody else."""

from __future__ import annotations

import copy
from functools import cache
from typing import Any

import msgspec
import orjson
import pytest

from xget_contracts.items import Item
from xget_sandbox.graphql.world_source import WorldSource
from xget_sandbox.source import Untouched
from xget_sandbox.world import build_world
from xget_sources.registry import load_records
from xget_sources.x.parser import parse_payload
from xget_testing.x_truth import load, recordings

load_records()  # a second call finds the same
X = load_records()["x"]


@cache
def payloads() -> list[Any]:
    """Pages of the sandbox's world, and recordings where there are some."""
    world = WorldSource(build_world(7, 400))
    uid = next(iter(world.listings.world.authors))
    asked = [
        ("SearchTimeline", {"rawQuery": "AI OR 人工智能 include:nativeretweets", "product": "Latest", "count": 20}),
        ("UserTweetsAndReplies", {"userId": str(uid), "count": 20}),
        ("Followers", {"userId": str(uid), "count": 20}),
    ]
    made = [world.answer(operation, variables, Untouched()) for operation, variables in asked]
    return [orjson.loads(body) for body in made if body] + [load(path) for path in recordings()]


def user(number: int, **more: Any) -> dict[str, Any]:
    return {
        "__typename": "User", "rest_id": str(number), "core": {"screen_name": f"user{number}", "name": f"Name {number}"}
    } | more  # fmt: skip


def post(number: int, author: int, text: str, **more: Any) -> dict[str, Any]:
    legacy = {"full_text": text, "user_id_str": str(author), "id_str": str(number), **more}
    core = {"user_results": {"result": user(author)}}
    return {"__typename": "Tweet", "rest_id": str(number), "core": core, "legacy": legacy}


def mention(number: int) -> dict[str, Any]:
    return {"id_str": str(number), "screen_name": f"user{number}", "name": f"Name {number}", "indices": [3, 9]}


def test_every_item_of_a_page_has_its_record() -> None:
    for payload in payloads():
        parsed = parse_payload(payload, [])
        body = orjson.dumps(payload)
        for item in parsed.items[:40]:
            record = X.record_of(body, item.key)
            assert record is not None
            again = parse_payload(orjson.loads(record.raw), [])
            assert item.native_id in {one.native_id for one in again.items}, record.path
        for author in parsed.authors[:10]:
            assert X.record_of(body, f"x:user:{author.id}") is not None


def test_communities_and_lists_have_records_too() -> None:
    community = {"__typename": "Community", "rest_id": "150", "name": "Engines"}
    members = {"id_str": "42", "name": "Engineers", "mode": "Public"}
    listed = {"itemContent": {"__typename": "TimelineTwitterList", "list": members}}
    payload = {"data": {"communityResults": {"result": community}, "items": [listed]}}
    assert {item.key for item in parse_payload(payload, []).items} == {"x:community:150", "x:list:42"}
    found = {key: X.record_of(orjson.dumps(payload), key) for key in ("x:community:150", "x:list:42")}
    assert {key: orjson.loads(one.raw) for key, one in found.items() if one} == {
        "x:community:150": community, "x:list:42": members,
    }  # fmt: skip


@pytest.mark.parametrize("key", ["x:404", "x:community:404", "x:list:404", "x:user:404", "x:trend:none", "toy:1", ""])
@pytest.mark.parametrize("body", [b"{}", b"nonsense", b"", b"[" * 100_000])
def test_what_is_not_there_has_no_record(key: str, body: bytes) -> None:
    assert X.record_of(body, key) is None


def others(payload: Any, author_id: str) -> dict[str, Item]:
    """What a page holds of everybody else; reposts apart, which lose their copies, and names of who is answered."""
    items = parse_payload(payload, []).items
    return {
        one.key: msgspec.structs.replace(one, in_reply_to_user=None)
        for one in items
        if one.author_id != author_id and one.reposted_id is None
    }


def test_an_author_is_gone_from_a_page_and_everybody_else_is_as_before() -> None:
    forgotten = 0
    for payload in payloads():
        body = orjson.dumps(payload)
        for author_id in sorted({one.author_id for one in parse_payload(payload, []).items if one.author_id})[:25]:
            cleaned = X.without_author(body, author_id)
            assert cleaned is not None
            assert cleaned.records > 0
            left = orjson.loads(cleaned.body)
            after = parse_payload(copy.deepcopy(left), [])
            assert author_id not in {one.author_id for one in after.items} | {one.id for one in after.authors}
            assert others(left, author_id) == others(payload, author_id)
            assert X.without_author(cleaned.body, author_id) is None
            forgotten += 1
    assert forgotten > 30


def test_reposts_and_quotes_by_others_keep_who_and_what_but_not_the_text() -> None:
    original = post(1, 7, "a secret thought")
    repost = post(2, 8, "RT @user7: a secret thought", retweeted_status_result={"result": original})
    repost["legacy"]["entities"] = {"user_mentions": [mention(7)], "media": [{"url": "a secret picture"}]}
    quote = {**post(3, 8, "look what @user7 says"), "quoted_status_result": {"result": original}}
    quote["legacy"] |= {"quoted_status_id_str": "1", "entities": {"user_mentions": [mention(7)]}}
    bare = post(4, 9, "RT @user7: a secret th…", entities={"user_mentions": [mention(7)]})
    answer = post(5, 9, "@user7 no", in_reply_to_user_id_str="7", in_reply_to_screen_name="user7")
    cleaned = X.without_author(orjson.dumps([repost, quote, bare, answer, user(7)]), "7")
    assert cleaned is not None
    assert b"secret" not in cleaned.body
    items = {one.key: one for one in parse_payload(orjson.loads(cleaned.body), []).items}
    assert set(items) == {"x:2", "x:3", "x:4", "x:5"}
    assert (items["x:2"].text, items["x:2"].reposted_id, items["x:2"].author_id) == ("", "1", "8")
    assert (items["x:3"].text, items["x:3"].quoted_id) == ("look what @user7 says", "1")
    assert (items["x:4"].text, items["x:5"].text) == ("", "@user7 no")


def test_a_record_of_nobody_goes_when_it_names_the_author() -> None:
    drifted = {"__typename": "Tweet", "rest_id": "1", "legacy": {"full_text": "secret", "writer_id": "7"}}
    cleaned = X.without_author(orjson.dumps(drifted), "7")
    assert cleaned is not None
    assert (cleaned.whole, b"secret" in cleaned.body) == (True, False)
    assert X.without_author(orjson.dumps([post(2, 8, "a", writer_id="7")]), "7") is None
    among_others = X.without_author(orjson.dumps([drifted, post(2, 8, "b")]), "7")
    assert (among_others.whole, among_others.records) == (False, 1) if among_others else False


def test_a_page_without_the_author_is_left_alone() -> None:
    assert X.without_author(orjson.dumps([post(1, 8, "not of 7, but with the number 7")]), "7") is None
    assert X.without_author(orjson.dumps(post(77, 8, "a")), "9") is None


def test_a_body_that_cannot_be_read_goes_as_a_whole_when_it_names_the_author() -> None:
    cleaned = X.without_author(b'{"truncated": "by 44196397', "44196397")
    assert (cleaned.body, cleaned.records) == (b"{}", 1) if cleaned else False
    assert X.without_author(b'{"truncated": "by ', "44196397") is None
