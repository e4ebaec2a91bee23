"""Stored pages of X's official API: finds a record by its key, and takes an author out."""

from __future__ import annotations

from typing import Any

from xget_sources.x.parser.values import Json, as_dict, as_id, as_list, as_text

_TEXTS = ("entities", "note_tweet", "attachments")
"""What a repost copies from the original, beside its text."""


def is_official(payload: Any) -> bool:
    """Whether a page came through the official API: the web's wire has other things under `data`."""
    if type(payload) is not dict or not set(payload) <= {"data", "includes", "errors", "meta"}:
        return False
    rows = _rows(payload.get("data"))
    return "meta" in payload or "includes" in payload or any("id" in row for row in rows)


def named(payload: Json, key: str) -> tuple[str, Json] | None:
    """The record of `x:<post>` or `x:user:<id>`, and where it is."""
    kind, _, number = key.removeprefix("x:").rpartition(":")
    if kind not in ("", "user"):
        return None
    included = as_dict(payload.get("includes"))
    places = [
        ("data", payload.get("data")),
        *((f"includes.{name}", included.get(name)) for name in ("tweets", "users")),
    ]
    for path, rows in places:
        for index, row in enumerate(_rows(rows)):
            if as_id(row.get("id")) == number and ("username" in row) == (kind == "user"):
                return (f"{path}[{index}]" if type(rows) is list else path), row
    return None


def forget(payload: Json, author_id: str) -> int:
    """Take an author out of a page, in place; how many records that took."""
    included = as_dict(payload.get("includes"))
    posts = [*_rows(payload.get("data")), *_rows(included.get("tweets"))]
    theirs = {as_id(row.get("id")) for row in posts if as_id(row.get("author_id")) == author_id}
    records = sum(_empty(row) for row in posts if _repeats(row, theirs, author_id))
    gone: list[Json] = []
    for holder, name in ((payload, "data"), (included, "tweets"), (included, "users")):
        gone += _without(holder, name, author_id)
    _drop_attached(included, gone, payload)
    errors = as_list(payload.get("errors"))
    kept = [error for error in errors if as_id(as_dict(error).get("resource_id")) != author_id]
    if len(kept) < len(errors):
        payload["errors"] = kept
    return records + len(gone) + len(errors) - len(kept)


def _without(holder: Json, name: str, author_id: str) -> list[Json]:
    rows = _rows(holder.get(name))
    gone = [row for row in rows if author_id in (as_id(row.get("author_id")), _user(row))]
    if gone and type(holder[name]) is list:
        holder[name] = [row for row in rows if row not in gone]
    elif gone:
        del holder[name]
    return gone


def _user(row: Json) -> str | None:
    return as_id(row.get("id")) if "username" in row else None


def _repeats(row: Json, theirs: set[str | None], author_id: str) -> bool:
    """A repost by somebody else of a post of theirs."""
    if as_id(row.get("author_id")) == author_id:
        return False
    related = [as_dict(one) for one in as_list(row.get("referenced_tweets"))]
    reposted = [as_id(one.get("id")) for one in related if one.get("type") == "retweeted"]
    mentions = as_list(as_dict(row.get("entities")).get("mentions"))
    first = as_id(as_dict(next(iter(mentions), None)).get("id"))
    copied = (as_text(row.get("text")) or "").startswith("RT @") and first == author_id
    return bool(reposted) and (copied or bool(theirs & set(reposted))) and bool(row.get("text"))


def _empty(row: Json) -> int:
    row["text"] = ""
    for name in _TEXTS:
        row.pop(name, None)
    return 1


def _drop_attached(included: Json, gone: list[Json], payload: Json) -> None:
    """Media and polls of posts that went, unless another post shows them too."""
    left = [*_rows(payload.get("data")), *_rows(included.get("tweets"))]
    for name, key, kind in (("media", "media_key", "media_keys"), ("polls", "id", "poll_ids")):
        lost = _attached(gone, kind) - _attached(left, kind)
        if lost:
            included[name] = [row for row in _rows(included.get(name)) if row.get(key) not in lost]


def _attached(posts: list[Json], kind: str) -> set[str]:
    return {key for post in posts for key in as_list(as_dict(post.get("attachments")).get(kind)) if type(key) is str}


def _rows(value: Any) -> list[Json]:
    return [row for row in (value if type(value) is list else [value]) if type(row) is dict]
