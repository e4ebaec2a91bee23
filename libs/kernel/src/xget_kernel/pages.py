"""Lists in pieces: page and size, or an opaque cursor."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Any

import msgspec

from xget_kernel.errors import FieldError, Invalid

_LONGEST_CURSOR = 4096


@dataclass(frozen=True, slots=True)
class PageQuery:
    """Which page is wanted: `page` counts from 1, `size` rows each."""

    page: int = 1
    size: int = 20

    @property
    def offset(self) -> int:
        return (self.page - 1) * self.size

    @property
    def limit(self) -> int:
        return self.size

    def pages(self, total: int) -> int:
        """How many pages `total` rows make."""
        return -(-total // self.size)


def encode_cursor(obj: Any) -> str:
    """Opaque URL-safe text for a JSON value (datetimes become strings)."""
    return base64.urlsafe_b64encode(msgspec.json.encode(obj)).rstrip(b"=").decode("ascii")


def decode_cursor(text: str) -> Any:
    """The JSON value behind a cursor. Raises Invalid (422, field `cursor`) for any text that is not one."""
    try:
        if len(text) > _LONGEST_CURSOR:
            raise ValueError("too long")
        padded = text.encode("ascii") + b"=" * (-len(text) % 4)
        return msgspec.json.decode(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, msgspec.MsgspecError, RecursionError) as error:
        raise bad_cursor() from error


def bad_cursor() -> Invalid:
    """The error for a cursor that was not made by this list."""
    message = "This cursor is not one of ours: use next_cursor of the page before, unchanged, or leave it out."
    return Invalid(message, errors=[FieldError("cursor", "cursor", message)])
