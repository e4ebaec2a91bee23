"""Photos, videos and animations of a post."""

from __future__ import annotations

from typing import Any, Literal

from xget_contracts.items import Media, Variant
from xget_sources.x.parser.values import Json, as_count, as_dict, as_id, as_list, as_text, dig

_TYPES: dict[Any, Literal["photo", "video", "animated_gif"]] = {
    "photo": "photo",
    "video": "video",
    "animated_gif": "animated_gif",
}


def parse_media(entries: Any) -> list[Media]:
    """Every photo, video and animation with an image, in page order; other kinds are left out."""
    return [media for entry in as_list(entries) if type(entry) is dict and (media := _parse_one(entry))]


def _parse_one(entry: Json) -> Media | None:
    kind = entry.get("type")
    known = _TYPES.get(kind) if type(kind) is str else None
    url = as_text(entry.get("media_url_https")) or as_text(entry.get("media_url"))
    if known is None or url is None:
        return None
    size = as_dict(entry.get("original_info"))
    video = as_dict(entry.get("video_info"))
    return Media(
        type=known,
        url=url,
        id=as_id(entry.get("id_str")),
        alt_text=as_text(entry.get("ext_alt_text")),
        width=as_count(size.get("width")),
        height=as_count(size.get("height")),
        duration_ms=as_count(video.get("duration_millis")),
        views=_views(entry),
        variants=_variants(video.get("variants")) if video else [],
    )


def _views(entry: Json) -> int | None:
    views = dig(entry, "mediaStats", "viewCount")
    if views is None:
        views = dig(entry, "ext_media_stats", "view_count")
    return as_count(views)


def _variants(entries: Any) -> list[Variant]:
    variants: list[Variant] = []
    for entry in as_list(entries):
        if type(entry) is dict and (url := as_text(entry.get("url"))):
            kind = as_text(entry.get("content_type")) or ""
            variants.append(Variant(url=url, content_type=kind, bitrate=as_count(entry.get("bitrate"))))
    return variants
