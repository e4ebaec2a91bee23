"""X misbehaving: the collection goes on with nothing lost, or ends with a reason that a user can read."""

from __future__ import annotations

from typing import Any

import pytest

from xget_sources.ports import NoAccount, SourceStopped

pytestmark = pytest.mark.slow

QUERY = {"query": "AI OR 人工智能"}


def found(pages: list[Any]) -> list[str]:
    return sorted({key.removeprefix("x:") for page in pages for key in page.entry_keys})


def truth(sandbox: Any) -> list[str]:
    return sorted(sandbox.truth.answer({"task_type": "KEYWORD_SEARCH", **QUERY})["matches"])


@pytest.mark.parametrize(
    "fault",
    [
        "429@2",
        "88@2",
        "64@2",
        "32@2",
        "326@2",
        "403@2",
        "loadshed@2",
        "malformed@2",
        "500@2",
        "drop@2",
        "empty@2",
        pytest.param("404@2", marks=pytest.mark.slow),
        "html@2",
        "repeat-cursor@2",
    ],
)
async def test_one_fault_loses_nothing(start: Any, lender: Any, gather: Any, fault: str) -> None:
    sandbox = await start(faults=[fault])
    lent = lender(sandbox.proxy_url)
    pages = await gather(lent, "KEYWORD_SEARCH", **QUERY)
    assert found(pages) == truth(sandbox)
    assert pages[-1].end_reason == "exhausted"
    assert sum(page.requests for page in pages) == len(lent.outcomes)


@pytest.mark.parametrize(
    ("fault", "ending"),
    [
        ("loadshed", ("source_error", True)),
        ("malformed", ("source_error", True)),
        ("500", ("source_error", True)),
        ("drop", ("source_error", True)),
        ("html", ("blocked", False)),
        pytest.param("404", ("source_error", False), marks=pytest.mark.slow),
    ],
)
async def test_a_lasting_fault_ends_with_its_reason(
    start: Any, lender: Any, gather: Any, fault: str, ending: tuple[str, bool]
) -> None:
    sandbox = await start(faults=[f"{fault}%1"])
    with pytest.raises(SourceStopped) as stopped:
        await gather(lender(sandbox.proxy_url), "KEYWORD_SEARCH", **QUERY)
    assert (stopped.value.reason, stopped.value.retryable) == ending
    assert stopped.value.detail.endswith(".")


@pytest.mark.parametrize("fault", ["429", "88", "64", "32", "326", "226", "403"])
async def test_without_another_account_the_session_says_when_to_resume(
    start: Any, lender: Any, gather: Any, fault: str
) -> None:
    sandbox = await start(faults=[f"{fault}%1"])
    lent = lender(sandbox.proxy_url)
    with pytest.raises(NoAccount) as none:
        await gather(lent, "KEYWORD_SEARCH", **QUERY)
    assert none.value.resume_at is not None
    assert len(lent.lent) == 3
    assert lent.held == set()


async def test_an_endless_run_of_empty_pages_stalls(start: Any, lender: Any, gather: Any) -> None:
    sandbox = await start(faults=["empty%1"])
    pages = await gather(lender(sandbox.proxy_url), "KEYWORD_SEARCH", **QUERY)
    assert pages[-1].end_reason == "stalled"
    assert pages[-1].cursor_out is None


async def test_a_timeline_that_goes_round_in_a_circle_stalls_and_keeps_its_page(
    start: Any, lender: Any, gather: Any
) -> None:
    sandbox = await start(faults=["repeat-cursor@3", "repeat-cursor@4"])
    pages = await gather(lender(sandbox.proxy_url), "KEYWORD_SEARCH", **QUERY)
    assert [page.end_reason for page in pages] == [None, None, "stalled"]
    assert pages[-1].entry_keys


async def test_a_spent_limit_does_not_waste_the_page(start: Any, lender: Any, gather: Any) -> None:
    sandbox = await start(limit_scale=0.04)
    lent = lender(sandbox.proxy_url, ("alice",))
    pages = []
    with pytest.raises(NoAccount):
        pages = await gather(lent, "KEYWORD_SEARCH", **QUERY)
    good = [outcome for outcome in lent.outcomes if outcome.status == 200]
    assert good[-1].remaining == 0
    assert good[-1].reset_at is not None
    assert [outcome.status for outcome in lent.outcomes[len(good) :]] == [429]
    assert lent.lent == ["alice"] * len(lent.outcomes)
    assert pages == []


async def test_an_account_without_a_login_is_reported_and_not_asked_with(start: Any, lender: Any, gather: Any) -> None:
    sandbox = await start()
    lent = lender(sandbox.proxy_url)
    lent.cookies["alice"] = {"lang": "en"}
    pages = await gather(lent, "KEYWORD_SEARCH", most=1, **QUERY)
    assert pages[0].account_id == "bob"
    assert [outcome.status for outcome in lent.outcomes] == [401, 200]


async def test_a_dead_proxy_is_reported_and_retryable(lender: Any, gather: Any) -> None:
    lent = lender("http://127.0.0.1:9")
    with pytest.raises(SourceStopped) as stopped:
        await gather(lent, "KEYWORD_SEARCH", **QUERY)
    assert stopped.value.retryable
    assert {outcome.status for outcome in lent.outcomes} == {0}
    assert lent.held == set()


@pytest.mark.parametrize("task_type", ["USER_INFO", "USER_TWEETS", "USER_FOLLOWERS"])
async def test_an_unknown_user_is_named(start: Any, lender: Any, gather: Any, task_type: str) -> None:
    sandbox = await start()
    with pytest.raises(SourceStopped, match="@nobody_here") as stopped:
        await gather(lender(sandbox.proxy_url), task_type, username="nobody_here")
    assert (stopped.value.reason, stopped.value.retryable) == ("not_found", False)


@pytest.mark.parametrize(("standing", "said"), [("suspended", "suspended"), ("protected", "protected")])
async def test_a_user_who_shows_nothing_is_explained(
    start: Any, lender: Any, gather: Any, standing: str, said: str
) -> None:
    sandbox = await start()
    author = next(author for author in sandbox.world.authors.values() if author.standing == standing)
    for params in ({"username": author.handle}, {"user_id": str(author.id)}):
        with pytest.raises(SourceStopped, match=said) as stopped:
            await gather(lender(sandbox.proxy_url), "USER_TWEETS", **params)
        assert (stopped.value.reason, stopped.value.retryable) == (standing, False)
