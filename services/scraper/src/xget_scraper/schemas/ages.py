"""Ages at which posts are seen again, as people write them: `1h`, `6h`, `1d`, `P7D`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

MOST: Final = 20
YOUNGEST: Final = 5 * 60
OLDEST: Final = 365 * 86400
_UNITS: Final = {"w": 7 * 86400, "d": 86400, "h": 3600, "m": 60}
_SHORT: Final = re.compile(r"([0-9]{1,6})([wdhm])")
_ISO: Final = re.compile(r"P(?:([0-9]{1,4})W|(?:([0-9]{1,4})D)?(?:T(?:([0-9]{1,5})H)?(?:([0-9]{1,6})M)?)?)")
_SHOWN: Final = ("d", "h", "m")


def written(age: int) -> str:
    """An age in seconds as `90m`, `6h`, `30d`: in the largest unit that it is whole in."""
    unit = next(name for name in _SHOWN if age % _UNITS[name] == 0)
    return f"{age // _UNITS[unit]}{unit}"


def written_all(ages: Sequence[int] | None) -> list[str] | None:
    """A curve as people write it; None when there is none."""
    return [written(age) for age in ages] if ages else None


def _curve(value: Any) -> list[int]:
    if not isinstance(value, list):
        raise PydanticCustomError("list_type", "Must be a list of ages, like [1h, 6h, 1d]")
    if not 1 <= len(value) <= MOST:
        raise PydanticCustomError("length", "Must hold 1 to 20 ages; leave it out to look at nothing again")
    ages = [_read(one, place) for place, one in enumerate(value, 1)]
    for place, (age, later) in enumerate(pairwise(ages), 2):
        if later <= age:
            raise PydanticCustomError("growing", "Age {place} must be greater than the one before it", {"place": place})
    return ages


def _read(value: Any, place: int) -> int:
    if not isinstance(value, str) or (age := _seconds(value.strip())) is None:
        raise PydanticCustomError("age", "Age {place} must be like 30m, 6h, 7d, 2w or P1DT12H", {"place": place})
    if not YOUNGEST <= age <= OLDEST:
        raise PydanticCustomError(
            "age_range", "Age {place} must lie between 5 minutes (5m) and one year (365d)", {"place": place}
        )
    return age


def _seconds(text: str) -> int | None:
    if short := _SHORT.fullmatch(text):
        return int(short[1]) * _UNITS[short[2]]
    iso = _ISO.fullmatch(text)
    if iso is None or not any(iso.groups()):
        return None
    return sum(int(count) * _UNITS[unit] for count, unit in zip(iso.groups(), "wdhm", strict=True) if count)


_AGE: Final = {"type": "string", "pattern": r"^([0-9]{1,6}[wdhm]|P[0-9WDTHM]+)$"}
Curve = Annotated[
    list[int],
    BeforeValidator(_curve),
    WithJsonSchema({"type": "array", "minItems": 1, "maxItems": MOST, "items": _AGE}),
]
"""Ages in seconds, strictly growing, from a list as people write them."""
