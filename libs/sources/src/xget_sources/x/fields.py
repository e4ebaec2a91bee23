"""Kinds of parameters: what they accept and what they say when they refuse."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StrictInt, StrictStr, WithJsonSchema

MAX_TEXT = 500
MAX_LIMIT = 1_000_000
MAX_TARGETS = 10_000
"""Users, posts, lists, communities, queries or hashtags of one task."""
MAX_WORDS = 50
TABS = ("trending", "news", "sport", "entertainment")

_PROFILE_URL = re.compile(
    r"(?:https?://)?(?:www\.|mobile\.)?(?:x|twitter)\.com/@?([^/?#]+)/?(?:[?#].*)?", re.IGNORECASE
)
_POST_URL = re.compile(
    r"(?:https?://)?(?:www\.|mobile\.)?(?:x|twitter)\.com/[^/]+/status(?:es)?/(\d+).*", re.IGNORECASE
)
_USERNAME = re.compile(r"[A-Za-z0-9_]{1,20}")
_TIMELINE = re.compile(r"VGltZWxpbmU6[A-Za-z0-9+/_-]{4,200}={0,2}")
"""Base64 of `Timeline:` and a number: so X names the tabs of its Explore page."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def plain_text(text: str) -> str:
    """The text without blanks around it. Raises ValueError for an empty one and for control characters."""
    text = text.strip()
    if not text:
        raise ValueError("must not be empty")
    if _CONTROL.search(text):
        raise ValueError("must not contain control characters")
    return text


def _words(text: str) -> str:
    """A word or phrase of a query: something must be left of it when its quotes are gone."""
    if not text.replace('"', "").strip():
        raise ValueError("must hold more than quotes")
    return text


def _username(text: str) -> str:
    found = _PROFILE_URL.fullmatch(text.strip())
    name = (found.group(1) if found else text.strip()).removeprefix("@")
    if not _USERNAME.fullmatch(name):
        raise ValueError("must be a name of 1 to 20 letters, digits and _ (an @ or an address of x.com is fine)")
    return name


def _native_id(value: Any) -> Any:
    """Ids may come as numbers; addresses of posts are taken for the post's id."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, str) and (found := _POST_URL.fullmatch(value.strip())):
        return found.group(1)
    return value.strip() if isinstance(value, str) else value


def _number(text: str) -> str:
    if not re.fullmatch(r"[0-9]{1,20}", text):
        raise ValueError("must be a number of 1 to 20 digits")
    return text


def _hashtag(text: str) -> str:
    tag = plain_text(text).lstrip("#\uff03")
    if not tag or not re.fullmatch(r"[\w\u200c\u200d]+", tag):
        raise ValueError("must be one word of letters, digits and _, with or without #")
    return tag


def _moment(value: Any) -> Any:
    """A day counts as its first second, UTC; a time without zone as UTC."""
    if isinstance(value, str):
        try:
            day = date.fromisoformat(value) if len(value) <= 10 else None
            moment = datetime.combine(day, time()) if day else datetime.fromisoformat(value)
        except ValueError as error:
            raise ValueError("must be a day (2026-01-31) or a time (2026-01-31T08:00:00Z)") from error
    elif isinstance(value, datetime):
        moment = value
    elif value is None:
        return None
    else:
        raise ValueError("must be a day (2026-01-31) or a time (2026-01-31T08:00:00Z)")
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError as error:
        raise ValueError("must lie between the years 2 and 9998") from error


def _tab(text: str) -> str:
    text = text.strip()
    if text not in TABS and not _TIMELINE.fullmatch(text):
        raise ValueError(f"must be {', '.join(TABS)}, or X's id of a timeline, as VGltZWxpbmU6DAC2CwABAAAABG5ld3MAAA")
    return text


Text = Annotated[StrictStr, Field(max_length=MAX_TEXT), AfterValidator(plain_text)]
Words = Annotated[Text, AfterValidator(_words)]
Username = Annotated[StrictStr, Field(max_length=100), AfterValidator(_username)]
_ID = {"anyOf": [{"type": "string"}, {"type": "integer", "minimum": 0, "maximum": 10**20 - 1}]}
"""Both may hold an id; a text may also be an address that holds one."""
NativeId = Annotated[str, BeforeValidator(_native_id), Field(strict=True), AfterValidator(_number), WithJsonSchema(_ID)]
Hashtag = Annotated[StrictStr, Field(max_length=100), AfterValidator(_hashtag)]
Moment = Annotated[datetime | None, BeforeValidator(_moment)]
Product = Annotated[
    Literal["Latest", "Top", "Media"], BeforeValidator(lambda value: value.title() if type(value) is str else value)
]
Lang = Annotated[StrictStr, Field(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z]{2,4})?$")]
Count = Annotated[StrictInt, Field(ge=0, le=1_000_000_000)]
Tab = Annotated[StrictStr, Field(max_length=250), AfterValidator(_tab)]
Distance = Annotated[StrictStr, Field(pattern=r"^[1-9][0-9]{0,3}(km|mi)$")]
