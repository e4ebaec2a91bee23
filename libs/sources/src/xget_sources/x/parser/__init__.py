"""X's payloads as items and authors: pure, and never raising for a strange payload."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any, Final, TypeVar

import orjson

from xget_contracts.items import Author, Item, Rejected
from xget_sources.ports import PageToParse, Parsed
from xget_sources.x.parser.decoding import decode
from xget_sources.x.parser.groups import parse_community, parse_list
from xget_sources.x.parser.outlines import outline
from xget_sources.x.parser.paths import path_of
from xget_sources.x.parser.posts import PostParser, Unusable
from xget_sources.x.parser.stand_ins import count_users, nothing_there, read_stand_ins, stand_in_item
from xget_sources.x.parser.trends import parse_trend
from xget_sources.x.parser.users import parse_user, user_item
from xget_sources.x.parser.values import Json
from xget_sources.x.parser.walk import Found, find_records

PARSER_VERSION: Final = "x-2"

__all__ = ["PARSER_VERSION", "parse_page", "parse_payload"]

_T = TypeVar("_T")
_Refused = list[tuple[str, Json, str | None]]
"""Reason, record and id of what is no item."""


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
    refused: _Refused = [(reason, record, None) for reason, record in found.nameless]
    users: dict[str, Author] = {}
    for native_id, record in found.users.items():
        if author := _guarded(_parse_user, native_id, record, refused):
            users[native_id] = author
    posts = PostParser(found.posts, users, found.wrappers)
    items = _items(posts.parse, found.posts, refused)
    items += [user_item(author) for author in users.values() if f"x:user:{author.id}" in wanted]
    items += _items(parse_trend, found.trends, refused)
    items += _items(parse_community, found.communities, refused)
    items += _items(parse_list, found.lists, refused)
    parsed = Parsed(items=items, authors=list(users.values()), rejected=_rejected(payload, refused))
    if found.stand_ins:
        _stand_ins(payload, found, parsed)
    if wanted and not items and (why := nothing_there(payload)):
        parsed.items += [stand_in_item(key[2:], *why) for key in sorted(wanted) if key[2:].isdecimal()]
    if found.unavailable:
        parsed.stand_ins = parsed.stand_ins | count_users(found.unavailable)
    for item in items:
        if item.key in wanted:
            item.role = "match"
    return parsed


def _parse_user(_: str, record: Json) -> Author | None:
    return parse_user(record)


def _items(parse: Callable[[str, Json], Item], records: dict[str, Json], refused: _Refused) -> list[Item]:
    found = (_guarded(parse, native_id, record, refused) for native_id, record in records.items())
    return [item for item in found if item is not None]


def _guarded(parse: Callable[[str, Json], _T], native_id: str, record: Json, refused: _Refused) -> _T | None:
    try:
        return parse(native_id, record)
    except Unusable as why:
        refused.append((str(why), record, native_id))
    except Exception as error:  # noqa: BLE001 - one record that breaks the parser must not cost the page
        refused.append((f"the parser failed: {type(error).__name__}: {error}", record, native_id))
    return None


def _stand_ins(payload: Any, found: Found, parsed: Parsed) -> None:
    """Posts that X names and shows a stand-in for, unless the page has the post itself as well."""
    shown = read_stand_ins(payload)
    for native_id, (gone, text) in shown.named.items():
        if native_id not in found.posts:
            parsed.items.append(stand_in_item(native_id, gone, text))
    parsed.stand_ins = shown.nameless


def _rejected(payload: Any, refused: _Refused) -> list[Rejected]:
    return [
        Rejected(
            path=path_of(payload, record),
            reason=reason,
            native_id=native_id,
            raw=_raw(record),
            shape=outline(record),
        )
        for reason, record, native_id in refused
    ]


def _raw(record: Json) -> bytes:
    try:
        return orjson.dumps(record)
    except TypeError:  # deeper than orjson goes, or an integer beyond 64 bits
        try:
            return json.dumps(record).encode()
        except RecursionError:
            return b""
