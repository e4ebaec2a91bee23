"""Takes an author out of a payload; all that others wrote stays where it is.

What goes: posts of the author wherever they stand (listed, quoted, reposted, answered), their profiles, and the texts,
media and cards of others' reposts, which X copies from the original. What stays: others' posts that mention or answer
the author, with the names that their own texts hold.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from xget_sources.x.parser.timeline import author_of
from xget_sources.x.parser.users import is_profile, user_id
from xget_sources.x.parser.values import Json, as_dict, as_id, as_list, as_text, dig
from xget_sources.x.parser.walk import post_id

FORGOTTEN: Final = "XGetForgotten"
"""Type of what stands in the place of a record that was taken out: a post's keeps its id, so that relations stay."""
_RELATED: Final = ("quoted_status_result", "retweeted_status_result")
_COPIED: Final = ("entities", "extended_entities", "card", "note_tweet", "quick_promote_eligibility")
_REPOSTS: Final = ("retweeted_status_result", "retweeted_status", "retweeted_status_id_str")


def forget(payload: Any, author_id: str) -> tuple[Any, int]:
    """The payload, changed in place, without the author; and how many records that took."""
    records = 0
    top = [payload]
    stack: list[Any] = [top]
    while stack:
        node = stack.pop()
        if type(node) is dict and _copies(node, author_id):
            _empty(node)
            records += 1
        for place, value in _children(node):
            if _is_theirs(value, author_id):
                node[place] = _stub(value)
                records += 1
            if type(node[place]) is dict or type(node[place]) is list:
                stack.append(node[place])
    return top[0], records


def _children(node: Any) -> Iterator[tuple[Any, Any]]:
    return iter(list(node.items())) if type(node) is dict else iter(list(enumerate(node)) if type(node) is list else [])


def _is_theirs(node: Any, author_id: str) -> bool:
    """A post that they wrote, or their profile. A mention in somebody's text (it has `indices`) is neither."""
    if type(node) is not dict or "indices" in node:
        return False
    if _is_post(node):
        author = _author(node)
        return author == author_id if author is not None else _names(node, author_id)
    if as_id(node.get("user_id_str")) == author_id:
        return True
    return user_id(node) == author_id and (node.get("__typename") == "User" or is_profile(node))


def _names(node: Json, author_id: str) -> bool:
    """Whether a record has the id anywhere of its own: what it quotes or reposts apart."""
    stack: list[Any] = [value for name, value in node.items() if name not in _RELATED]
    while stack:
        value = stack.pop()
        if type(value) is dict:
            stack += [one for name, one in value.items() if name not in _RELATED and name != "user_mentions"]
        elif type(value) is list:
            stack += value
        elif as_id(value) == author_id:
            return True
    return False


def _stub(node: Json) -> Json:
    """What is left of a record: a post's id, and the posts of others that it quotes or reposts."""
    flat = {**as_dict(node.get("legacy")), **node} if _is_post(node) else {}
    kept = {name: flat[name] for name in _RELATED if type(flat.get(name)) is dict}
    native_id = post_id(node) if flat else None
    return {"__typename": FORGOTTEN, **kept} | ({"rest_id": native_id} if native_id else {})


def _is_post(node: Json) -> bool:
    return "full_text" in node or "full_text" in as_dict(node.get("legacy")) or node.get("__typename") == "Tweet"


def _copies(node: Json, author_id: str) -> bool:
    """A repost, by somebody else, of a post of theirs, as long as it still has its copy of the text."""
    flat = {**as_dict(node.get("legacy")), **node}
    text = as_text(flat.get("full_text"))
    if text is None or (not any(flat.get(name) for name in _REPOSTS) and not text.startswith("RT @")):
        return False
    original = as_dict(dig(flat, "retweeted_status_result", "result")) or as_dict(flat.get("retweeted_status"))
    original = as_dict(original.get("tweet")) or original
    first = as_dict(next(iter(as_list(dig(flat, "entities", "user_mentions"))), None))
    return author_id in (_author(original), as_id(first.get("id_str")) if text.startswith("RT @") else None)


def _author(record: Json) -> str | None:
    flat = {**as_dict(record.get("legacy")), **record}
    embedded = as_dict(dig(flat, "core", "user_result", "result")) or as_dict(dig(flat, "author_results", "result"))
    return author_of(record) or user_id(embedded)


def _empty(node: Json) -> None:
    for holder in (node, as_dict(node.get("legacy"))):
        if "full_text" in holder:
            holder["full_text"] = ""
        for name in _COPIED:
            holder.pop(name, None)
