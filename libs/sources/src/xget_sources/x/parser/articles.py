"""X's articles: long pieces that a post leads to."""

from __future__ import annotations

from typing import Any

from xget_sources.x.parser.values import as_count, as_dict, as_id, as_list, as_text, dig


def article_of(raw: Any) -> dict[str, Any]:
    """What a post's `article` says, by the names that the README documents; empty when there is none."""
    article = as_dict(dig(raw, "article_results", "result"))
    known = {
        "id": as_id(article.get("rest_id")),
        "title": as_text(article.get("title")),
        "preview": as_text(article.get("preview_text")),
        "text": as_text(article.get("plain_text")) or _blocks(article),
        "cover_url": as_text(dig(article, "cover_media", "media_info", "original_img_url")),
        "published_s": as_count(dig(article, "metadata", "first_published_at_secs")),
        "modified_s": as_count(dig(article, "lifecycle_state", "modified_at_secs")),
    }
    return {name: value for name, value in known.items() if value is not None}


def _blocks(article: dict[str, Any]) -> str | None:
    """The text of an article that X sends in blocks."""
    blocks = as_list(dig(article, "content_state", "blocks"))
    return "\n".join(text for block in blocks if (text := as_text(dig(block, "text")))) or None
