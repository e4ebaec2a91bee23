"""Communities and lists as items."""

from __future__ import annotations

from typing import Any, Literal

from xget_contracts.items import Item, Metrics
from xget_sources.x.parser.users import parse_user
from xget_sources.x.parser.values import Json, as_bool, as_count, as_dict, as_id, as_list, as_text, as_time, dig


def parse_community(native_id: str, record: Json) -> Item:
    """A community as an item: its name is the text, who made it the author, everything else is in `extra`."""
    topic = as_dict(record.get("primary_community_topic"))
    item = _item("community", native_id, record, dig(record, "creator_results", "result"))
    item.url = f"https://x.com/i/communities/{native_id}"
    item.metrics = Metrics(
        members=as_count(record.get("member_count")), moderators=as_count(record.get("moderator_count"))
    )
    item.extra = _said(
        record,
        rules=_rules(record.get("rules")),
        topic_id=as_text(topic.get("topic_id")),
        topic=as_text(topic.get("topic_name")),
        nsfw=as_bool(record.get("is_nsfw")),
        join_policy=as_text(record.get("join_policy")),
        invites_policy=as_text(record.get("invites_policy")),
        question=as_text(record.get("question")),
        tags=[tag for value in as_list(record.get("search_tags")) if (tag := as_text(value))],
    )
    return item


def parse_list(native_id: str, record: Json) -> Item:
    """A list as an item: its name is the text, its owner the author, everything else is in `extra`."""
    item = _item("list", native_id, record, dig(record, "user_results", "result"))
    item.url = f"https://x.com/i/lists/{native_id}"
    item.metrics = Metrics(
        members=as_count(record.get("member_count")), subscribers=as_count(record.get("subscriber_count"))
    )
    item.extra = _said(record, mode=as_text(record.get("mode")))
    return item


def _item(kind: Literal["community", "list"], native_id: str, record: Json, maker: Any) -> Item:
    author = parse_user(as_dict(maker))
    name = as_text(record.get("name")) or ""
    return Item(
        key=f"x:{kind}:{native_id}",
        platform="x",
        native_id=native_id,
        kind=kind,
        text=name,
        raw_text=name,
        created_at=as_time(record.get("created_at")),
        author_key=author.key if author else None,
        author_id=author.id if author else None,
        author_username=author.username if author else None,
        author_name=author.name if author else None,
    )


def _said(record: Json, **known: Any) -> dict[str, Any]:
    known["description"] = as_text(record.get("description"))
    known["banner_url"] = _banner(record, "custom_banner_media") or _banner(record, "default_banner_media")
    return {name: value for name, value in known.items() if value is not None and value != []}


def _rules(entries: Any) -> list[dict[str, str]]:
    rules: list[dict[str, str]] = []
    for entry in as_list(entries):
        if type(entry) is dict and (name := as_text(entry.get("name"))):
            rule = {"id": as_id(entry.get("rest_id")) or as_id(entry.get("id_str")), "name": name}
            rule["description"] = as_text(entry.get("description"))
            rules.append({field: value for field, value in rule.items() if value is not None})
    return rules


def _banner(record: Json, holder: str) -> str | None:
    return as_text(dig(record, holder, "media_info", "original_img_url"))
