"""Parameters of tasks: what is accepted, what is refused, and which query comes of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from xget_sources.x.queries import query_of
from xget_sources.x.tasks import ALIASES, TASK_TYPES, HashtagSearch, KeywordSearch


@pytest.mark.parametrize(
    ("task_type", "params"),
    [
        ("USER_TWEETS", {"username": "elonmusk", "limit": 50, "include_replies": False, "include_retweets": False}),
        ("USER_TWEETS", {"user_id": 44196397}),
        ("USER_INFO", {"username": "@elonmusk"}),
        ("USER_FOLLOWERS", {"username": "https://x.com/elonmusk?lang=en", "limit": 1_000_000}),
        ("KEYWORD_SEARCH", {"query": "AI OR 人工智能", "lang": "zh", "product": "Top"}),
        ("KEYWORD_SEARCH", {"keyword": "量子"}),
        ("KEYWORD_SEARCH", {"keywords": ["量子", "quantum dots"], "since": "2026-07-01", "until": "2026-07-02T08:00Z"}),
        ("HASHTAG_SEARCH", {"hashtag": "#人工智能"}),
        ("TWEET_DETAIL", {"tweet_id": "https://x.com/XDevelopers/status/1649191520250245121?s=20"}),
        ("TRENDS", {}),
    ],
)  # fmt: skip
def test_good_parameters_are_taken_and_survive_being_stored(task_type: str, params: dict[str, Any]) -> None:
    model = TASK_TYPES[task_type].parameters
    taken = model.model_validate(params)
    assert model.model_validate(taken.model_dump(mode="json")) == taken


@pytest.mark.parametrize(
    ("task_type", "params", "field"),
    [
        ("USER_TWEETS", {"username": "elonmusk", "limit": 0}, "limit"),
        ("USER_TWEETS", {"username": "elonmusk", "limit": 10**9}, "limit"),
        ("USER_TWEETS", {"username": "elonmusk", "limit": "50"}, "limit"),
        ("USER_TWEETS", {"username": "elonmusk", "limit": True}, "limit"),
        ("USER_TWEETS", {"username": "elonmusk", "include_replies": "no"}, "include_replies"),
        ("USER_TWEETS", {"username": "elonmusk", "since": "yesterday"}, "since"),
        ("USER_TWEETS", {"username": "elonmusk", "since": 20260101}, "since"),
        ("USER_TWEETS", {"username": "elonmusk", "since": "0001-01-01T00:00:00+14:00"}, "since"),
        ("USER_TWEETS", {"username": "elonmusk", "since": "2026-02-01", "until": "2026-01-01"}, ""),
        ("USER_TWEETS", {}, ""),
        ("USER_TWEETS", {"username": "elonmusk", "user_id": "44196397"}, ""),
        ("USER_TWEETS", {"username": "elon musk"}, "username"),
        ("USER_TWEETS", {"username": "x" * 2_000_000}, "username"),
        ("USER_TWEETS", {"username": 5}, "username"),
        ("USER_TWEETS", {"user_id": "12a"}, "user_id"),
        ("USER_TWEETS", {"user_id": True}, "user_id"),
        ("USER_TWEETS", {"username": "elonmusk", "colour": "red"}, "colour"),
        ("KEYWORD_SEARCH", {"query": ""}, "query"),
        ("KEYWORD_SEARCH", {"query": "a\x00b"}, "query"),
        ("KEYWORD_SEARCH", {"query": "a\ud800"}, "query"),
        ("KEYWORD_SEARCH", {"query": "x" * 501}, "query"),
        ("KEYWORD_SEARCH", {"query": "x", "product": "Newest"}, "product"),
        ("KEYWORD_SEARCH", {"query": "x", "lang": "chinese!"}, "lang"),
        ("KEYWORD_SEARCH", {"keywords": []}, "keywords"),
        ("KEYWORD_SEARCH", {"keywords": ["x" * 300, "y" * 300]}, ""),
        ("HASHTAG_SEARCH", {"hashtag": "two words"}, "hashtag"),
        ("HASHTAG_SEARCH", {"hashtag": "#"}, "hashtag"),
        ("TRENDS", {"category": "cats"}, "category"),
    ],
)  # fmt: skip
def test_bad_parameters_name_their_field(task_type: str, params: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        TASK_TYPES[task_type].parameters.model_validate(params)
    assert field in {".".join(map(str, error["loc"][:1])) for error in refused.value.errors()}


@pytest.mark.parametrize("number", ["abc", "-5", "1.0", "9" * 21, "\uff11\uff12", "", "12\n34"])
def test_an_id_that_is_no_number_is_refused_in_words(number: str) -> None:
    with pytest.raises(ValidationError, match="must be a number of 1 to 20 digits"):
        TASK_TYPES["LIST_TIMELINE"].parameters.model_validate({"list_id": number})


def test_a_name_is_the_same_in_every_form() -> None:
    model = TASK_TYPES["USER_INFO"].parameters
    forms = [
        "elonmusk",
        "@elonmusk",
        " elonmusk ",
        "x.com/elonmusk",
        "https://twitter.com/elonmusk/",
        "https://x.com/@elonmusk",
    ]
    assert {model.model_validate({"username": form}).model_dump()["username"] for form in forms} == {"elonmusk"}


def test_filters_become_operators_of_x() -> None:
    wanted = KeywordSearch.model_validate(
        {
            "keywords": ["量子", 'deep "learning"'],
            "lang": "ZH",
            "since": "2026-07-01",
            "until": "2026-07-02T08:00:00+08:00",
        }
        | {"include_replies": False, "include_retweets": True}
    )
    assert wanted.until == datetime(2026, 7, 2, tzinfo=UTC)
    assert query_of(wanted) == (
        '量子 OR "deep learning" lang:zh since:2026-07-01 until:2026-07-02 -filter:replies include:nativeretweets'
    )
    tagged = HashtagSearch.model_validate({"hashtag": "AI", "since": "2026-07-01T10:30:00Z", "include_retweets": False})
    assert query_of(tagged) == "#AI since_time:1782901800 -filter:nativeretweets"


def test_every_alias_leads_to_a_task_type() -> None:
    assert set(ALIASES.values()) <= TASK_TYPES.keys()
    assert not ALIASES.keys() & TASK_TYPES.keys()
    kinds = ("post", "user", "trend", "community")
    assert all(spec.name == name and spec.item_kind in kinds for name, spec in TASK_TYPES.items())
