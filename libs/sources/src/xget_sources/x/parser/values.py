"""Typed access to JSON whose shape is not ours: a value of another type counts as absent.

X's payloads drift, and a wrong type must never reach an item: `msgspec` would encode it and the reader would choke.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final

Json = dict[str, Any]

_NONE: Final[Json] = {}
_NO_ITEMS: Final[list[Any]] = []
_MONTHS: Final = {
    name: f"{number:02}"
    for number, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), start=1
    )
}
_SNOWFLAKE_EPOCH_MS: Final = 1_288_834_974_657
_FIRST_SNOWFLAKE: Final = 29_700_859_247
_FAR_FUTURE_S: Final = 4_102_444_800  # 2100: a later time is a broken number
_MAX_COUNT: Final = 2**63 - 1


def as_dict(value: Any) -> Json:
    """The object, or an empty one."""
    return value if type(value) is dict else _NONE


def as_list(value: Any) -> list[Any]:
    """The array, or an empty one."""
    return value if type(value) is list else _NO_ITEMS


def as_text(value: Any) -> str | None:
    """The text, or None when it is empty or no text."""
    return value if type(value) is str and value else None


def as_bool(value: Any) -> bool | None:
    """True or False, or None when it is neither."""
    return value if type(value) is bool else None


def as_count(value: Any) -> int | None:
    """A number ≥ 0, also when X sends it as text; None when it is none."""
    if type(value) is int:
        return value if 0 <= value <= _MAX_COUNT else None
    if type(value) is str and value.isascii() and value.isdigit() and len(value) < 20:
        number = int(value)
        return number if number <= _MAX_COUNT else None
    return None


def as_float(value: Any) -> float | None:
    """A finite number, or None."""
    if type(value) is int or type(value) is float:
        number = float(value)
        return number if -1e300 < number < 1e300 else None
    return None


def as_id(value: Any) -> str | None:
    """A platform id: decimal digits, as text or number; None when it is anything else."""
    if type(value) is str:
        return value if value.isascii() and value.isdigit() and len(value) <= 20 else None
    if type(value) is int and 0 < value < 10**20:
        return str(value)
    return None


def dig(value: Any, *path: str) -> Any:
    """The value under nested keys, or None when any step is missing."""
    for key in path:
        if type(value) is not dict:
            return None
        value = value.get(key)
    return value


def as_time(value: Any) -> datetime | None:
    """UTC time of X's `Thu Apr 20 23:21:13 +0000 2023`, of RFC 2822, ISO 8601 or epoch milliseconds; else None."""
    if type(value) is str:
        if len(value) == 30 and value[20:25] == "+0000":
            try:
                return datetime.fromisoformat(f"{value[26:]}-{_MONTHS[value[4:7]]}-{value[8:10]}T{value[11:19]}+00:00")
            except (KeyError, ValueError):
                return None
        return _time_of_text(value)
    if type(value) is int:
        return epoch_ms(value)
    return None


def _time_of_text(value: str) -> datetime | None:
    if value.isascii() and value.isdigit():
        return epoch_ms(int(value)) if len(value) < 16 else None
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            moment = read(value)
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
    return None


def epoch_ms(value: Any) -> datetime | None:
    """UTC time of epoch milliseconds (a number, or its digits), or None when that is no plausible time."""
    number = as_count(value)
    if number is None or not 0 < number < _FAR_FUTURE_S * 1000:
        return None
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=number)


def snowflake_time(native_id: str) -> datetime | None:
    """When X gave out the id, to the millisecond; None for ids older than November 2010, which carry no time."""
    number = int(native_id)
    if number < _FIRST_SNOWFLAKE:
        return None
    return epoch_ms((number >> 22) + _SNOWFLAKE_EPOCH_MS)
