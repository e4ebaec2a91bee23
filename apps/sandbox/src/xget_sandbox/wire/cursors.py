"""Cursors: opaque to the reader, and the same cursor always means the same page.

A cursor holds a fingerprint of the listing it belongs to, an offset into it, and a turn: pages that repeat an offset
(an empty page in between) differ in the turn only, so that a reader does not take them for a standstill.
"""

from __future__ import annotations

import base64
import binascii
import struct
from dataclasses import dataclass
from typing import Literal
from zlib import crc32

from xget_sandbox.errors import SandboxError

Style = Literal["token", "pair"]
Direction = Literal["Top", "Bottom"]
HEAD = b"\x0c\x00\x03\x0c\x00\x01\x0a\x00\x01"
LAYOUT = struct.Struct(">IIHB")
TURNS = 1 << 16


class BadCursor(SandboxError):
    """A cursor that this sandbox did not make, or made for another listing."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page begins in its listing."""

    offset: int = 0
    turn: int = 0


def encode(listing: str, cursor: Cursor, style: Style, direction: Direction = "Bottom", *, end: bool = False) -> str:
    """The cursor's text: a token as in search, or a pair of numbers as in lists of users (`0|…` at the end)."""
    packed = LAYOUT.pack(crc32(listing.encode()), cursor.offset, cursor.turn, direction == "Bottom")
    if style == "token":
        return base64.urlsafe_b64encode(HEAD + packed).decode().rstrip("=")
    number = int.from_bytes(packed, "big")
    first = "-1" if direction == "Top" else "0" if end else str(10**18 + number % 10**17)
    return f"{first}|{number}"


def fingerprint(text: str) -> int | None:
    """The listing that a token says it belongs to; None for what is no cursor."""
    try:
        return int(LAYOUT.unpack(_token(text))[0])
    except (ValueError, binascii.Error, struct.error):
        return None


def _token(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).removeprefix(HEAD)


def decode(listing: str, text: str, style: Style) -> Cursor:
    """Read a cursor back. Raises BadCursor."""
    try:
        raw = _token(text) if style == "token" else int(text.partition("|")[2]).to_bytes(LAYOUT.size, "big")
        key, offset, turn, _ = LAYOUT.unpack(raw)
    except (ValueError, OverflowError, binascii.Error, struct.error) as error:
        raise BadCursor("The cursor is not one of this sandbox.") from error
    if key != crc32(listing.encode()):
        raise BadCursor("The cursor belongs to another listing.")
    return Cursor(offset, turn)
