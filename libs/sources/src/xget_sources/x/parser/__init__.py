"""X's payloads as items and authors: pure, and never raising for a strange payload."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from xget_contracts.items import Author, Item, Rejected
from xget_sources.ports import PageToParse, Parsed
from xget_sources.x.parser.decoding import decode
from xget_sources.x.parser.paths import path_of
from xget_sources.x.parser.posts import PostParser, Unusable
from xget_sources.x.parser.trends import parse_trend, trend_key
from xget_sources.x.parser.users import parse_user, user_item
from xget_sources.x.parser.values import Json
from xget_sources.x.parser.walk import Found, find_records

PARSER_VERSION = "x-1"

__all__ = ["PARSER_VERSION", "parse_page", "parse_payload"]


def parse_page(page: PageToParse) -> Parsed:
    """Everything a raw page of any X operation holds. A body that is no JSON is one rejected record."""
    try:
        payload = decode(page.body)
    except ValueError as error:
        rejected = Rejected(path="$", reason=f"the page is not JSON: {error}", raw=page.body)
        return Parsed(items=[], authors=[], rejected=[rejected])
    return parse_payload(payload, page.match_keys)


def parse_payload(payload: Any, match_keys: Iterable[str]) -> Parsed:
    """Everything a decoded payload holds; `match_keys` are the keys of the items that answer the task."""
    wanted = frozenset(match_keys)
    found = find_records(payload)
    users: dict[str, Author] = {}
    rejected: list[tuple[str, Json, str | None]] = [(reason, record, None) for reason, record in found.nameless]
    for native_id, record in found.users.items():
        if author := parse_user(record):
            users[native_id] = author
    items = _posts(found, users, wanted, rejected)
    items += [user_item(author) for author in users.values() if f"x:user:{author.id}" in wanted]
    items += [parse_trend(name, record, match=trend_key(name) in wanted) for name, record in found.trends.items()]
    return Parsed(items=items, authors=list(users.values()), rejected=_rejected(payload, rejected))


def _posts(
    found: Found, users: dict[str, Author], wanted: frozenset[str], rejected: list[tuple[str, Json, str | None]]
) -> list[Item]:
    parser = PostParser(found.posts, users)
    items: list[Item] = []
    for native_id, record in found.posts.items():
        try:
            item = parser.parse(native_id, record)
        except Unusable as why:
            rejected.append((str(why), record, native_id))
            continue
        if item.key in wanted:
            item.role = "match"
        items.append(item)
    return items


def _rejected(payload: Any, records: list[tuple[str, Json, str | None]]) -> list[Rejected]:
    return [
        Rejected(path=path_of(payload, record), reason=reason, native_id=native_id, raw=_raw(record))
        for reason, record, native_id in records
    ]


def _raw(record: Json) -> bytes:
    try:
        return orjson.dumps(record)
    except TypeError:  # deeper than orjson goes, or an integer beyond 64 bits
        return b""
