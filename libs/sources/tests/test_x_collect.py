"""Collecting against the sandbox: what comes out is what there is."""

from __future__ import annotations

from typing import Any

import pytest

from xget_sources.ports import RawPage


def native_ids(pages: list[RawPage]) -> list[str]:
    return list(dict.fromkeys(key.rpartition(":")[2] for page in pages for key in page.entry_keys))


@pytest.mark.parametrize(
    ("task_type", "params"),
    [
        ("KEYWORD_SEARCH", {"query": "AI OR 人工智能"}),
        ("KEYWORD_SEARCH", {"query": "AI OR 人工智能", "lang": "zh", "since": "2026-07-01"}),
        ("KEYWORD_SEARCH", {"query": "AI", "product": "Top"}),
        ("HASHTAG_SEARCH", {"hashtag": "AI"}),
        ("USER_TWEETS", {"username": "elonmusk"}),
        ("USER_TWEETS", {"username": "elonmusk", "include_replies": True}),
        ("USER_TWEETS", {"username": "elonmusk", "include_replies": False, "include_retweets": False}),
        ("USER_FOLLOWERS", {"username": "elonmusk"}),
        ("USER_FOLLOWING", {"username": "elonmusk"}),
        ("USER_INFO", {"username": "elonmusk"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(map(str, value.values())),
)
async def test_a_task_collects_what_there_is(
    start: Any, lender: Any, gather: Any, task_type: str, params: dict[str, Any]
) -> None:
    sandbox = await start(posts=900)
    pages = await gather(lender(sandbox.proxy_url), task_type, **params)
    asked = {name: str(value) for name, value in params.items()} | {"task_type": task_type}
    truth = sandbox.truth.answer(asked)["matches"]
    assert sorted(native_ids(pages)) == sorted(truth)
    assert truth
    assert pages[-1].end_reason == ("ranking_ended" if params.get("product") == "Top" else "exhausted")
    assert [page.end_reason for page in pages[:-1]] == [None] * (len(pages) - 1)
