"""Stored pages of the official API: a record is found by its key, and an author is taken out of all of it."""

from __future__ import annotations

import orjson

from xget_sandbox.api_v2.selecting import Selection
from xget_sandbox.world import build_world
from xget_sources.registry import load_records
from xget_sources.x_api.client.calls import Call
from xget_sources.x_api.parser import parse_payload

X = load_records()["x"]
WORLD = build_world(7, 600, rich=True)


def page() -> bytes:
    """All posts of a world in one answer."""
    selection = Selection(WORLD, Call(operation="o", path="p", kind="posts", units=1).parameters)
    data = [selection.tweet(post) for post in WORLD.posts.values()]
    return orjson.dumps(selection.body(data, {"result_count": len(data)}))


def test_each_post_and_user_is_found_by_its_key() -> None:
    body = page()
    for item in parse_payload(orjson.loads(body), []).items[:50]:
        record = X.record_of(body, item.key)
        assert record is not None
        assert orjson.loads(record.raw)["id"] == item.native_id
        author = X.record_of(body, f"x:user:{item.author_id}")
        assert author is not None
        assert orjson.loads(author.raw)["username"] == item.author_username
    assert X.record_of(body, "x:1") is None


def test_an_author_goes_with_posts_profile_media_and_copied_texts() -> None:
    body, author_id = page(), "44196397"
    cleaned = X.without_author(body, author_id)
    assert cleaned is not None
    before, after = parse_payload(orjson.loads(body), []), parse_payload(orjson.loads(cleaned.body), [])
    theirs = {item.key for item in before.items if item.author_id == author_id}
    reposts = {item.key for item in before.items if item.reposted_id and f"x:{item.reposted_id}" in theirs}
    assert theirs
    assert reposts - theirs
    assert {item.key for item in after.items} == {item.key for item in before.items} - theirs
    assert author_id not in {author.id for author in after.authors}
    assert all(item.text == "" for item in after.items if item.key in reposts)
    others = {item.key: item.text for item in before.items if item.key not in theirs | reposts}
    assert {item.key: item.text for item in after.items if item.key in others} == others
    words = [item.text for item in before.items if item.key in theirs and len(item.text) > 60 and not item.reposted_id]
    assert not [text for text in words if orjson.dumps(text)[1:-1] in cleaned.body]
    assert X.without_author(cleaned.body, author_id) is None or b'"author_id":"44196397"' not in cleaned.body
    assert X.without_author(body, "999999999999") is None
