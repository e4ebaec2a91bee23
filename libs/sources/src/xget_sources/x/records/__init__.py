"""Looking into stored pages of X."""

from __future__ import annotations

import json
from typing import Any

import orjson

from xget_sources.records import Cleaned, Record
from xget_sources.x.parser.decoding import decode
from xget_sources.x.parser.paths import path_of
from xget_sources.x.parser.trends import trend_key
from xget_sources.x.parser.values import Json
from xget_sources.x.parser.walk import Found, find_records
from xget_sources.x.records import official
from xget_sources.x.records.forgetting import FORGOTTEN, forget

__all__ = ["XRecords"]

_UNREADABLE = (ValueError, RecursionError)
_NOTHING = b"{}"


class XRecords:
    """`Records` of X."""

    platform = "x"

    def record_of(self, body: bytes, key: str) -> Record | None:
        """The record of `x:<post>`, or of `x:<kind>:…` for a user, trend, community or list.

        None when the page has none, or is no JSON.
        """
        try:
            payload = decode(body)
        except _UNREADABLE:
            return None
        if official.is_official(payload):
            found = official.named(payload, key)
            return None if found is None else Record(path=found[0], raw=_encoded(found[1]))
        record = _named(find_records(payload), key)
        return None if record is None else Record(path=path_of(payload, record), raw=_encoded(record))

    def without_author(self, body: bytes, author_id: str) -> Cleaned | None:
        """The page without an author; `{}` when it cannot be read but names them."""
        if author_id.encode() not in body:
            return None
        try:
            read = decode(body)
            if official.is_official(read):
                taken = official.forget(read, author_id)
                return Cleaned(body=_encoded(read), records=taken) if taken else None
            payload, records = forget(read, author_id)
            whole = type(payload) is dict and payload.get("__typename") == FORGOTTEN
            return Cleaned(body=_encoded(payload), records=records, whole=whole) if records else None
        except _UNREADABLE:
            return Cleaned(body=_NOTHING, records=1, whole=True)


def _named(found: Found, key: str) -> Json | None:
    native_id = key.removeprefix("x:")
    kind, _, number = native_id.rpartition(":")
    if kind == "trend":
        return next((record for name, record in found.trends.items() if trend_key(name) == key), None)
    records = {"": found.posts, "user": found.users, "community": found.communities, "list": found.lists}.get(kind, {})
    return records.get(number)


def _encoded(payload: Any) -> bytes:
    try:
        return orjson.dumps(payload)
    except TypeError:  # deeper than orjson goes, or an integer beyond 64 bits
        return json.dumps(payload, ensure_ascii=False).encode("utf-8", "replace")
