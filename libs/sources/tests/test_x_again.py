"""Known posts looked at again: what X says in their place is a page too, and the last version is asked for."""

from __future__ import annotations

from typing import Any

import pytest

from xget_contracts.items import Item
from xget_sandbox.app import Sandbox
from xget_sources.ports import CollectRequest, PageToParse, RawPage, SourceStopped
from xget_sources.x.parser import parse_payload
from xget_sources.x.x_source import XSource
from xget_testing.lending import Lender


async def look(source: XSource, lender: Lender, native_id: str) -> tuple[list[RawPage], str]:
    """The pages, and why the post is not there, if it is not."""
    request = CollectRequest(task_type="TWEET_DETAIL", parameters={"tweet_id": native_id}, again=True)
    pages: list[RawPage] = []
    try:
        async for page in source.collect(request, lender, None):
            pages.append(page)
    except SourceStopped as stopped:
        return pages, stopped.reason
    return pages, ""


def parsed(source: XSource, page: RawPage) -> dict[str, Item]:
    match = frozenset(page.entry_keys)
    found = source.parse(
        PageToParse(
            task_type="TWEET_DETAIL", operation=page.operation, body=page.body, match_keys=match,
            fetched_at=page.fetched_at,
        )
    )  # fmt: skip
    return {item.native_id: item for item in found.items if item.role == "match"}


def change(sandbox: Sandbox, **what: Any) -> None:
    sandbox.director.changes.apply(what)


def some_post(sandbox: Sandbox) -> str:
    return str(next(post.id for post in sandbox.world.newest if post.kind == "post"))


async def test_a_post_that_is_gone_is_a_page_and_a_typed_end(start: Any, source: XSource, lender: Any) -> None:
    sandbox = await start()
    native_id = some_post(sandbox)
    pages, reason = await look(source, lender(sandbox.proxy_url), native_id)
    assert (pages[0].entry_keys, pages[0].end_reason, reason) == ([f"x:{native_id}"], "exhausted", "")
    assert pages[0].written_at[f"x:{native_id}"].timestamp() == sandbox.world.posts[int(native_id)].created_ms / 1000
    for how, gone, end in (("withhold", "withheld", "unavailable"), ("delete", "deleted", "not_found")):
        change(sandbox, **{how: [native_id]})
        pages, reason = await look(source, lender(sandbox.proxy_url), native_id)
        assert (len(pages), reason) == (1, end)
        assert parsed(source, pages[0])[native_id].gone == gone


async def test_an_edited_post_is_looked_at_by_its_last_version(start: Any, source: XSource, lender: Any) -> None:
    sandbox = await start()
    native_id = some_post(sandbox)
    change(sandbox, edit=[native_id])
    newest = str(sandbox.world.life.edited[int(native_id)].id)
    pages, reason = await look(source, lender(sandbox.proxy_url), native_id)
    assert ([page.entry_keys for page in pages], reason) == ([[f"x:{newest}"]], "")
    item = parsed(source, pages[-1])[newest]
    assert (item.extra["edit"]["ids"], item.text.endswith("(edited)")) == ([native_id, newest], True)


@pytest.mark.parametrize(
    ("payload", "gone"),
    [
        ({"errors": [{"message": "_Missing: No status found with that ID.", "code": 144}], "data": {}}, "deleted"),
        ({"errors": [{"message": "_Missing: No status found with that ID."}]}, "deleted"),
        ({"errors": [{"message": "Sorry, you are not authorized.", "code": 179}]}, "limited"),
        ({"data": {"tweetResult": {}}}, "unavailable"),
        ({"errors": [{"message": "Timeout: Unspecified", "code": 29}], "data": {}}, None),
        ({"legacy": {"full_text": "a"}}, None),
        ([], None),
    ],
)
def test_an_answer_without_the_post_stands_in_for_what_was_asked(payload: Any, gone: str | None) -> None:
    items = parse_payload(payload, {"x:20"}).items
    assert [item.gone for item in items] == ([gone] if gone else [])
    assert [item.gone for item in parse_payload(payload, {"x:user:20"}).items] == []
    assert parse_payload(payload, ()).items == []
