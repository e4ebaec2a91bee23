"""Field types for request bodies and parameters."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, NoReturn

from annotated_types import GroupedMetadata, MaxLen, MinLen
from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema
from pydantic.functional_validators import AfterValidator
from pydantic_core import PydanticCustomError

# C0 and C1 controls, and the invisible characters that turn text around; tab and line breaks are text.
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
LINE_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
PLAIN_PATTERN = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]*$"
LINE_PATTERN = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]*$"


class Hidden(BaseModel):
    """Carries secrets perhaps: it shows which fields were given, and no values."""

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        yield from ((None, name) for name in sorted(self.model_fields_set))

    def __reduce_ex__(self, _protocol: Any) -> NoReturn:
        raise TypeError(f"{type(self).__name__} is not pickled: it may carry secrets.")


class Body(Hidden):
    """Base of request bodies: unknown fields are refused by name."""

    model_config = ConfigDict(extra="forbid")


def text(max_length: int, *, min_length: int = 0, multiline: bool = False) -> GroupedMetadata:
    """Marks a string without control characters (rule `no_control_characters`).

    Use as `Name = Annotated[str, text(200, min_length=1)]`. `multiline` allows tabs and line breaks.
    Lengths count code points.
    """
    return TextRule(max_length, min_length, multiline)


@dataclass(frozen=True, slots=True)
class TextRule(GroupedMetadata):
    """What `text` promises, as pydantic reads it and OpenAPI shows it."""

    max_length: int
    min_length: int
    multiline: bool

    def __iter__(self) -> Iterator[object]:
        yield MinLen(self.min_length)
        yield MaxLen(self.max_length)
        yield AfterValidator(_no_controls if self.multiline else _no_line_controls)
        yield WithJsonSchema(self._schema())

    def _schema(self) -> dict[str, Any]:
        pattern = PLAIN_PATTERN if self.multiline else LINE_PATTERN
        found: dict[str, Any] = {"type": "string", "maxLength": self.max_length, "pattern": pattern}
        return found | ({"minLength": self.min_length} if self.min_length else {})


def _no_controls(value: str) -> str:
    return _refuse(value, CONTROL)


def _no_line_controls(value: str) -> str:
    return _refuse(value, LINE_CONTROL)


def _refuse(value: str, pattern: re.Pattern[str]) -> str:
    found = pattern.search(value)
    if found is None:
        return value
    raise PydanticCustomError(
        "no_control_characters",
        "Control characters are not allowed (found U+{code} at position {position})",
        {"code": f"{ord(found.group()):04X}", "position": found.start()},
    )


# Path ids are plain text: an id that exists nowhere is 404, whatever it looks like.
PathId = Annotated[str, Field(min_length=1, max_length=128)]
