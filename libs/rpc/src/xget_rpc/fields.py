"""What callers put into messages, looked at before it reaches a batch that others share."""

from __future__ import annotations

from typing import Final

from xget_kernel.errors import FieldError, Invalid

_LONGEST_ID: Final = 128
_LARGEST_FENCE: Final = 2**31 - 1


def word(value: str, field: str, longest: int = _LONGEST_ID, *, required: bool = False) -> str:
    """A name or an id of at most `longest` characters. Raises Invalid (422).

    No database keeps NUL in a text, and PostgreSQL refuses the statement for all who are in it.
    """
    if not required and len(value) > longest:
        raise wrong(field, "length", f"{field} must have at most {longest} characters.")
    if required and not 1 <= len(value) <= longest:
        raise wrong(field, "length", f"{field} needs 1 to {longest} characters.")
    if "\0" in value:
        raise wrong(field, "characters", f"{field} must not contain a NUL character.")
    return value


def fence(number: int, field: str = "fencing_token") -> int:
    """The fencing token of a lease. Raises Invalid (422) for one that no lease ever has."""
    if not 0 <= number <= _LARGEST_FENCE:
        raise wrong(field, "range", f"{field} must be 0 to {_LARGEST_FENCE}.")
    return number


def wrong(field: str, rule: str, sentence: str) -> Invalid:
    """The error (422) for one field."""
    return Invalid(sentence, errors=[FieldError(field, rule, sentence)])
