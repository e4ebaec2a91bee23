"""Answers of API v2 as the same items and authors as the session route's: pure, never raising for a strange payload."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import orjson

from xget_contracts.items import Author, Item, Rejected
from xget_sources.ports import PageToParse, Parsed
from xget_sources.x.parser.outlines import outline
from xget_sources.x.parser.stand_ins import gone_of, stand_in_item
from xget_sources.x.parser.users import user_item
from xget_sources.x.parser.values import Json, as_dict, as_id, as_list, as_text
from xget_sources.x_api.parser.posts import PostReader, Unusable
from xget_sources.x_api.parser.users import parse_user

PARSER_VERSION: Final = "x_api-1"
_WORDS: Final = {"Not Found Error": "deleted", "Authorization Error": "limited", "Forbidden": "suspended"}


def parse_page(page: PageToParse) -> Parsed:
    """Everything an answer holds. A body that is no JSON object is one rejected record."""
    try:
        payload = orjson.loads(page.body)
    except orjson.JSONDecodeError as error:
        payload, why = None, f"the page is not JSON: {error}"
    else:
        why = "the page is no JSON object"
    if type(payload) is not dict:
        return Parsed(items=[], authors=[], rejected=[Rejected(path="$", reason=why, raw=page.body)])
    return parse_payload(payload, page.match_keys)


def parse_payload(payload: Json, match_keys: Iterable[str]) -> Parsed:
    """Everything a decoded answer holds; `match_keys` are the keys of the items that answer the task."""
    wanted, rejected = frozenset(match_keys), list[Rejected]()
    users: dict[str, Author] = {}
    posts: dict[str, tuple[str, Json]] = {}
    for path, record in _records(payload):
        if "username" in record:
            author = parse_user(record)
            if author is None:
                rejected.append(_rejected(path, record, "the user has no usable id or name"))
            else:
                users.setdefault(author.id, author)
        elif (native_id := as_id(record.get("id"))) is not None:
            posts.setdefault(native_id, (path, record))
        else:
            rejected.append(_rejected(path, record, "the record has no usable id"))
    reader = PostReader({native_id: record for native_id, (_, record) in posts.items()}, users, _included(payload))
    items: list[Item] = []
    for native_id, (path, record) in posts.items():
        try:
            items.append(reader.read(native_id, record))
        except Unusable as unusable:
            rejected.append(_rejected(path, record, str(unusable), native_id))
        except Exception as error:  # noqa: BLE001 - one record that breaks the parser must not cost the page
            rejected.append(_rejected(path, record, f"the parser failed: {type(error).__name__}: {error}", native_id))
    items += [user_item(author) for author in users.values() if f"x:user:{author.id}" in wanted]
    parsed = Parsed(items=items, authors=list(users.values()), rejected=rejected)
    _stand_ins(payload, posts, parsed)
    for item in parsed.items:
        if item.key in wanted:
            item.role = "match"
    return parsed


def results(payload: Json) -> list[Json]:
    """The records under `data`, one or many."""
    data = payload.get("data")
    return [record for record in (data if type(data) is list else [data]) if type(record) is dict]


def _records(payload: Json) -> Iterator[tuple[str, Json]]:
    data, included = payload.get("data"), as_dict(payload.get("includes"))
    if type(data) is dict:
        yield "data", data
    for path, rows in (("data", data), *((f"includes.{name}", included.get(name)) for name in ("tweets", "users"))):
        for index, record in enumerate(as_list(rows)):
            if type(record) is dict:
                yield f"{path}[{index}]", record


def _included(payload: Json) -> dict[str, dict[str, Json]]:
    """Media, polls and places by key."""
    included, found = as_dict(payload.get("includes")), dict[str, dict[str, Json]]()
    for kind, key in (("media", "media_key"), ("polls", "id"), ("places", "id")):
        rows = [as_dict(row) for row in as_list(included.get(kind))]
        found[kind] = {name: row for row in rows if (name := as_text(row.get(key)))}
    return found


def _stand_ins(payload: Json, posts: Json, parsed: Parsed) -> None:
    """Posts that the API names and does not show; users are counted by reason."""
    counted: dict[str, int] = {}
    for error in map(as_dict, as_list(payload.get("errors"))):
        native_id, detail = as_id(error.get("resource_id")) or as_id(error.get("value")), as_text(error.get("detail"))
        gone: Any = _WORDS.get(as_text(error.get("title")) or "") or gone_of(detail or "")
        if error.get("resource_type") == "user":
            counted[f"user:{gone}"] = counted.get(f"user:{gone}", 0) + 1
        elif error.get("resource_type") == "tweet" and native_id is not None and native_id not in posts:
            parsed.items.append(stand_in_item(native_id, gone, detail))
    parsed.stand_ins = counted


def _rejected(path: str, record: Json, reason: str, native_id: str | None = None) -> Rejected:
    raw = orjson.dumps(record)
    return Rejected(path=path, reason=reason, native_id=native_id, raw=raw, shape=outline(record))
