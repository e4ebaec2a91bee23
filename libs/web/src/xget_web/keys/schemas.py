"""Bodies of the routes about keys."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from xget_web.types import Body


class DataKeyRead(BaseModel):
    """A key, without its bytes."""

    id: str
    wrapped_by: Annotated[str, Field(description="plain, env, kek:<name> or transit:<name>.")]
    newest: bool
    retired_at: datetime | None
    """Since when it opens nothing any more; it can be restored."""


class KeysRead(BaseModel):
    """The keys that encrypt secrets."""

    place: Annotated[str, Field(description="environment, file, or table: then each service has keys of its own.")]
    keys: list[DataKeyRead]
    wraps_with: str | None
    """The key-encryption key that wraps new ones."""
    trouble: str | None
    """What is wrong with where they come from, while those of before go on."""


class AddedKey(BaseModel):
    """The key that encrypts from now on."""

    id: str


class Rewrapped(BaseModel):
    """What was done."""

    rewrapped: int


class PieceRequest(Body):
    """Where to go on, and how many rows to take at once."""

    cursor: Annotated[str | None, Field(max_length=400)] = None
    limit: Annotated[int, Field(ge=1, le=500)] = 200


class CountRead(BaseModel):
    """Secrets of one column that one key wrote."""

    table: str
    column: str
    key_id: str
    rows: int
    unreadable: int


class UnreadableRead(BaseModel):
    """A secret that cannot be opened."""

    table: str
    id: str
    column: str
    key_id: str
    reason: str


class PieceRead(BaseModel):
    """What was found in some rows, or done to them."""

    rows: int
    changed: int
    counts: list[CountRead]
    unreadable: list[UnreadableRead]
    """Some of those that cannot be opened."""
    next_cursor: str | None


class Named(Body):
    """Some keys."""

    ids: Annotated[list[Annotated[str, Field(max_length=64)]], Field(min_length=1, max_length=200)]


class UsageRead(BaseModel):
    """Which keys wrote how many secrets of this service."""

    counts: list[CountRead]
