"""Search parameters in X's query language."""

from __future__ import annotations

from datetime import datetime, time

from xget_sources.x.tasks import HashtagSearch, KeywordSearch


def keyword_query(wanted: KeywordSearch) -> str:
    """The query with its filters as operators; `OR` binds tighter than a blank, so nothing needs parentheses."""
    text = wanted.query or wanted.keyword or " OR ".join(map(_term, wanted.keywords or []))
    return f"{text} {_operators(wanted)}".strip()


def hashtag_query(wanted: HashtagSearch) -> str:
    """The tag with its filters as operators."""
    return f"#{wanted.hashtag} {_operators(wanted)}".strip()


def _term(keyword: str) -> str:
    plain = " ".join(keyword.replace('"', " ").split())
    return f'"{plain}"' if " " in plain or keyword != plain else plain


def _operators(wanted: KeywordSearch | HashtagSearch) -> str:
    words = []
    if wanted.lang:
        words.append(f"lang:{wanted.lang.lower()}")
    if wanted.since:
        words.append(_moment("since", wanted.since))
    if wanted.until:
        words.append(_moment("until", wanted.until))
    if wanted.include_replies is False:
        words.append("-filter:replies")
    if wanted.include_retweets is False:
        words.append("-filter:nativeretweets")
    elif wanted.include_retweets:
        words.append("include:nativeretweets")
    return " ".join(words)


def _moment(operator: str, moment: datetime) -> str:
    """Whole days by date, finer times in seconds."""
    if moment.timetz().replace(tzinfo=None) == time():
        return f"{operator}:{moment:%Y-%m-%d}"
    return f"{operator}_time:{int(moment.timestamp())}"
