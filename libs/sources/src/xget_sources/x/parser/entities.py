"""Links, mentions and tags that X lists beside a text."""

from __future__ import annotations

from typing import Any

from xget_contracts.items import Link, UserRef
from xget_sources.x.parser.values import as_id, as_list, as_text


def links_of(entries: Any) -> list[Link]:
    """Expanded links, in text order; entries without an expanded and a short form are none."""
    links: list[Link] = []
    for entry in as_list(entries):
        if type(entry) is dict:
            url, short = entry.get("expanded_url"), entry.get("url")
            if type(url) is str and type(short) is str:
                links.append(Link(url=url, short=short, display=as_text(entry.get("display_url"))))
    return links


def mentions_of(entries: Any) -> list[UserRef]:
    """Mentioned users, in text order."""
    mentions: list[UserRef] = []
    for entry in as_list(entries):
        if type(entry) is dict and (native_id := as_id(entry.get("id_str")) or as_id(entry.get("id"))):
            username, name = as_text(entry.get("screen_name")), as_text(entry.get("name"))
            mentions.append(UserRef(id=native_id, username=username, name=name))
    return mentions


def tags_of(entries: Any) -> list[str]:
    """Texts of hashtags or cashtags without their sign, in text order."""
    return [text for entry in as_list(entries) if type(entry) is dict and (text := as_text(entry.get("text")))]
