"""Parameters of searches by words, by hashtag and for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, BeforeValidator, Field, StrictStr, model_validator

from xget_sources.x.fields import MAX_TEXT, MAX_WORDS, Hashtag, Words, plain_text
from xget_sources.x.params import InWindow, Many, Targeted
from xget_sources.x.queries import Filtered, Search
from xget_sources.x.queries.reading import check_balance, check_size

Query = Annotated[
    StrictStr,
    Field(max_length=MAX_TEXT),
    BeforeValidator(check_size),
    AfterValidator(check_balance),
    AfterValidator(plain_text),
]
SomeWords = Annotated[list[Words], Field(min_length=1, max_length=MAX_WORDS)]
_SELECTING = frozenset(Filtered.model_fields) - frozenset(InWindow.model_fields) - {"lang", "near_within", "product"}
"""Filters that are enough for a search without words."""


class KeywordSearch(Search):
    """Parameters of KEYWORD_SEARCH: a query as X reads it, or words and filters of which one is made."""

    FORMS: ClassVar[Mapping[str, str]] = {"query": "queries"}

    query: Query | None = Field(
        default=None, description="X's search syntax, taken as it is: words, OR, quotes, from:, lang:…"
    )
    keyword: Query | None = Field(default=None, description="The same as query.")
    keywords: Annotated[list[Words], Field(min_length=1, max_length=20)] | None = Field(
        default=None, description="Posts with any of these words or phrases."
    )
    queries: Annotated[list[Query], Many] | None = Field(default=None, description="Several queries.")
    all_words: SomeWords | None = Field(default=None, description="All of these words or phrases.")
    phrases: SomeWords | None = Field(default=None, description="All of these, word for word.")
    any_words: SomeWords | None = Field(default=None, description="Any of these words or phrases.")
    none_words: SomeWords | None = Field(default=None, description="None of these words or phrases.")

    def given(self) -> int:
        """One more way: no query at all, but words or filters that are enough."""
        built = any(getattr(self, name) for name in ("all_words", "phrases", "any_words", *_SELECTING))
        plain = sum(value is not None for value in (self.query, self.keyword, self.keywords, self.queries))
        return plain or int(built)

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if self.given() != 1:
            raise ValueError("give one of query, keyword, keywords or queries, or words and filters to look for")
        if self.keywords and sum(map(len, self.keywords)) > MAX_TEXT:
            raise ValueError(f"keywords must have at most {MAX_TEXT} characters together")
        return self


class HashtagSearch(Search):
    """Parameters of HASHTAG_SEARCH."""

    FORMS: ClassVar[Mapping[str, str]] = {"hashtag": "hashtags"}

    hashtag: Hashtag | None = Field(default=None, description="The tag, with or without #.")
    hashtags: Annotated[list[Hashtag], Many] | None = Field(default=None, description="Several tags.")


class UserSearch(Targeted):
    """Parameters of USER_SEARCH."""

    FORMS: ClassVar[Mapping[str, str]] = {"query": "queries"}

    query: Query | None = Field(default=None, description="Words of a name, a username or a description.")
    queries: Annotated[list[Query], Many] | None = Field(default=None, description="Several queries.")
