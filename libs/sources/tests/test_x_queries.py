"""Queries that are made of parameters: X reads out of them what was put in, and none is longer than X takes."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from xget_sandbox.search import Search as SandboxSearch
from xget_sandbox.search.operators import words as has_words
from xget_sandbox.world import World
from xget_sandbox.world.build import build_world
from xget_sources.x.queries import query_of
from xget_sources.x.queries.building import term
from xget_sources.x.tasks import TASK_TYPES, HashtagSearch, KeywordSearch, Quotes
from xget_sources.x.x_source import XSource

TOKEN = re.compile(r'-?(?:[a-z_]+:)?"[^"]*"|-?\(|\)|[^\s()]+')


def read(query: str) -> dict[str, Any]:
    """A small reader of X's language, as far as the builder writes it."""
    found: dict[str, Any] = {}
    tokens, at = TOKEN.findall(query), 0
    while at < len(tokens):
        group = [tokens[at]]
        if tokens[at] == "(":
            end = tokens.index(")", at)
            group, at = tokens[at + 1 : end : 2], end
        at += 1
        _note(found, group)
    return found


def _note(found: dict[str, Any], group: list[str]) -> None:
    name, colon, _ = group[0].lstrip("-").partition(":")
    denied = group[0].startswith("-")
    if colon and not group[0].lstrip("-").startswith('"'):
        values = [one.partition(":")[2].strip('"') for one in group]
        if name == "filter":
            found.setdefault("filters", set()).add(("-" if denied else "") + values[0])
        else:
            found[name] = values
    elif group[0].startswith("@"):
        found["mentions"] = [one[1:] for one in group]
    elif len(group) > 1:
        found["any"] = [one.strip('"') for one in group]
    else:
        found.setdefault("none" if denied else "all", []).append(group[0].lstrip("-").strip('"'))


def plain(text: str) -> str:
    return " ".join(text.replace('"', " ").split())


texts = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]) | st.just(" "), min_size=1, max_size=12)
words = texts.map(str.strip).filter(lambda text: plain(text) != "" and not text.startswith("@"))
names = st.from_regex(r"[A-Za-z0-9_]{1,15}", fullmatch=True)
numbers = st.integers(0, 10**6)
ids = st.integers(1, 10**18).map(str)
wishes = st.fixed_dictionaries(
    {"all_words": st.lists(words, min_size=1, max_size=4)},
    optional={
        "any_words": st.lists(words, min_size=2, max_size=4),
        "none_words": st.lists(words, min_size=1, max_size=3),
        "from_users": st.lists(names, min_size=1, max_size=3),
        "to_users": st.lists(names, min_size=1, max_size=3),
        "mentions": st.lists(names, min_size=2, max_size=3),
        "lang": st.sampled_from(["en", "zh", "ja"]),
        "min_likes": numbers,
        "min_retweets": numbers,
        "min_replies": numbers,
        "max_id": ids,
        "in_list": ids,
        "in_conversation": ids,
        "has": st.lists(st.sampled_from(["media", "images", "videos", "links"]), min_size=1, max_size=4, unique=True),
        "replies": st.sampled_from(["only", "none"]),
        "quotes": st.sampled_from(["only", "none"]),
        "retweets": st.sampled_from(["only", "none"]),
    },
)


@given(wishes)
@settings(max_examples=300, deadline=None)
def test_what_is_put_into_a_query_is_read_out_of_it(wish: dict[str, Any]) -> None:
    try:
        wanted = KeywordSearch.model_validate(wish)
    except ValidationError:  # too long, as another test sees to
        return
    seen = read(query_of(wanted))
    assert seen.get("all") == [plain(text) for text in wish["all_words"]]
    assert seen.get("any", []) == [plain(text) for text in wish.get("any_words", [])]
    assert seen.get("none", []) == [plain(text) for text in wish.get("none_words", [])]
    operators = {"from_users": "from", "to_users": "to", "mentions": "mentions"}
    for parameter, operator in operators.items():
        assert seen.get(operator, []) == wish.get(parameter, [])
    single = {
        "lang": "lang", "min_likes": "min_faves", "min_retweets": "min_retweets", "min_replies": "min_replies",
        "max_id": "max_id", "in_list": "list", "in_conversation": "conversation_id",
    }  # fmt: skip
    for parameter, operator in single.items():
        assert seen.get(operator) == ([str(wish[parameter])] if parameter in wish else None)
    kinds = {"replies": "replies", "quotes": "quote", "retweets": "nativeretweets"}
    filters = {("-" if wish[kind] == "none" else "") + name for kind, name in kinds.items() if kind in wish}
    assert seen.get("filters", set()) == filters | set(wish.get("has", []))


@given(wishes, st.datetimes(datetime(2007, 1, 1), datetime(2100, 1, 1)), st.integers(60, 10**8))
@settings(max_examples=100, deadline=None)
def test_no_window_makes_an_accepted_query_too_long(wish: dict[str, Any], since: datetime, seconds: int) -> None:
    try:
        wanted = KeywordSearch.model_validate(wish)
    except ValidationError:
        return
    since = since.replace(tzinfo=UTC)
    assert len(query_of(wanted.within(since, since + timedelta(seconds=seconds)))) <= 500


@pytest.fixture(scope="module")
def world() -> World:
    return build_world(seed=7, posts=1500)


common = st.sampled_from(["AI", "the", "人工智能", "data", "heat", "a b", "climate", "football", "模型"])
sandbox_wishes = st.fixed_dictionaries(
    {"any_words": st.lists(common, min_size=1, max_size=3)},
    optional={
        "none_words": st.lists(common, min_size=1, max_size=2),
        "from_users": st.lists(st.sampled_from(["elonmusk", "nobody"]), min_size=1, max_size=2),
        "lang": st.sampled_from(["en", "zh"]),
        "min_likes": st.integers(0, 500),
        "has": st.lists(st.sampled_from(["media", "images"]), min_size=1, max_size=2, unique=True),
        "replies": st.sampled_from(["only", "none"]),
        "quotes": st.sampled_from(["only", "none"]),
    },
)


@given(sandbox_wishes)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_sandbox_reads_a_query_as_it_is_meant(world: World, wish: dict[str, Any]) -> None:
    found = SandboxSearch(world).find(query_of(KeywordSearch.model_validate(wish)))
    assert [post.id for post in found] == [post.id for post in world.newest if meant(world, post, wish)]


def meant(world: World, post: Any, wish: dict[str, Any]) -> bool:
    def says(text: str) -> bool:
        return has_words(text)(post)

    authors = {name.lower() for name in wish.get("from_users", [])}
    asked = [
        post.kind != "repost",
        any(map(says, wish["any_words"])),
        not any(map(says, wish.get("none_words", []))),
        not authors or world.authors[post.author_id].handle.lower() in authors,
        "lang" not in wish or post.lang == wish["lang"],
        post.metrics.likes >= wish.get("min_likes", 0),
        "media" not in wish.get("has", []) or bool(post.media),
        "images" not in wish.get("has", []) or any(one.type == "photo" for one in post.media),
        "replies" not in wish or (post.kind == "reply") == (wish["replies"] == "only"),
        "quotes" not in wish or (post.kind == "quote") == (wish["quotes"] == "only"),
    ]
    return all(asked)


@pytest.mark.parametrize(
    ("written", "query"),
    [
        ("AI", "AI"),
        ("#AI", "#AI"),
        ("$TSLA", "$TSLA"),
        ("deep learning", '"deep learning"'),
        ("OR", '"OR"'),
        ("from:nasa", '"from:nasa"'),
        ("-AI", '"-AI"'),
        ("f(x)", '"f(x)"'),
        ('say "hi"', '"say hi"'),
        ("量子", "量子"),
    ],
)
def test_a_word_stays_a_word(written: str, query: str) -> None:
    assert term(written) == query


@pytest.mark.parametrize(
    ("kind", "wish", "query"),
    [
        (KeywordSearch, {"query": ' (AI OR "deep  learning") -from:x  '}, '(AI OR "deep  learning") -from:x'),
        (KeywordSearch, {"phrases": ["AI"], "near": "San Francisco", "near_within": "15km"},
         '"AI" near:"San Francisco" within:15km'),
        (KeywordSearch, {"keyword": "AI", "replies": "only", "retweets": "none"},
         "AI filter:replies -filter:nativeretweets"),
        (KeywordSearch, {"from_users": ["@nasa"]}, "from:nasa"),
        (HashtagSearch, {"hashtag": "#AI", "min_likes": 5}, "#AI min_faves:5"),
        (Quotes, {"tweet_id": "20", "lang": "en"}, "quoted_tweet_id:20 lang:en"),
        (KeywordSearch, {"query": "AI", "since": "2026-01-01", "until": "2026-01-01T00:00:00.5Z"},
         "AI since:2026-01-01 until_time:1767225601"),
    ],
)  # fmt: skip
def test_parameters_become_this_query(kind: type[KeywordSearch], wish: dict[str, Any], query: str) -> None:
    assert query_of(kind.model_validate(wish)) == query


@pytest.mark.parametrize(
    ("wish", "says"),
    [
        ({"query": 'a "b'}, 'the quote " at character 3 is never closed'),
        ({"query": "  (a"}, "the bracket ( at character 3 is never closed"),
        ({"query": "a) b"}, "the bracket ) at character 2 closes nothing"),
        ({"query": '"(" a)'}, "the bracket ) at character 6 closes nothing"),
        ({"query": "a ( )"}, "the brackets at character 3 hold nothing"),
        ({"query": "x" * 457}, "character 457 is the first too many"),
        ({"query": "x" * 450, "lang": "zh"}, "has 458 characters and the run may add 44"),
        ({"queries": ["a", "x" * 470]}, "the query of queries.1 is too long"),
        ({"phrases": ["x" * 300, "y" * 300]}, "too long"),
        ({"query": "a", "queries": ["b"]}, "give one of"),
        ({"lang": "en"}, "give one of"),
        ({"limit": 5}, "give one of"),
        ({"all_words": ['" "']}, "more than quotes"),
        ({"query": "a", "replies": "only", "include_replies": False}, "contradict"),
        ({"query": "a", "since_id": "5", "max_id": "5"}, "since_id must be below max_id"),
        ({"query": "a", "near_within": "5km"}, "near_within needs near"),
        ({"query": "a", "in_list": "x"}, "must be a number"),
        ({"query": "a", "min_likes": -1}, "greater than or equal to 0"),
    ],
)
def test_a_query_that_cannot_be_meant_is_refused_with_the_place(wish: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError) as refused:
        KeywordSearch.model_validate(wish)
    assert says in str(refused.value)


def test_the_longest_query_is_taken() -> None:
    wanted = KeywordSearch.model_validate({"query": "x" * 456})
    timed = wanted.within(datetime(2026, 1, 1, 0, 0, 1, tzinfo=UTC), datetime(2026, 1, 2, 0, 0, 1, tzinfo=UTC))
    assert len(query_of(timed)) == 500


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("AI OR", "character 4"),
        ("OR AI", "character 1"),
        ("AI OR OR ML", "character 4"),
        ("(AI OR) ML", "character 5"),
        ("AI - ML", "character 4"),
        ('AI ""', "character 4"),
        ("OR AND -", "no word"),
        ('""', "no word"),
    ],
)
def test_what_says_nothing_in_a_query_is_told_by_the_preview(source: XSource, query: str, says: str) -> None:
    for wish in ({"query": query}, {"queries": ["AI", query]}):
        assert any(says in warning for warning in source.preview("KEYWORD_SEARCH", wish).warnings)


@pytest.mark.parametrize("query", ["AI OR ML", '-"a b" c', "-(a OR b) c", "(a OR b) OR c", "AI -ML", "or and"])
def test_a_query_that_says_something_is_no_news(source: XSource, query: str) -> None:
    assert source.preview("KEYWORD_SEARCH", {"query": query}).warnings == []


def test_the_first_character_too_many_is_named() -> None:
    for wish in ({"query": "x" * 501}, {"queries": ["x", "x" * 501]}):
        with pytest.raises(ValidationError, match="501 characters, X takes 500; character 501"):
            TASK_TYPES["KEYWORD_SEARCH"].parameters.model_validate(wish)
