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
    """Every photo, video and animation with an image, in page order; `unknown_media` has the others."""
    return [media for entry in as_list(entries) if type(entry) is dict and (media := _parse_one(entry))]


def unknown_media(entries: Any) -> list[dict[str, str]]:
    """Type and address of media of a kind that is new to us."""
    unknown: list[dict[str, str]] = []
    for entry in as_list(entries):
        if type(entry) is dict and (kind := as_text(entry.get("type"))) and kind not in _TYPES:
            url = as_text(entry.get("media_url_https")) or as_text(entry.get("media_url")) or ""
            unknown.append({"type": kind, "url": url})
    return unknown


def _parse_one(entry: Json) -> Media | None:
    get = entry.get
    kind = get("type")
    known = _TYPES.get(kind) if type(kind) is str else None
    url = as_text(get("media_url_https")) or as_text(get("media_url"))
    if known is None or url is None:
        return None
    size = as_dict(get("original_info"))
    video = as_dict(get("video_info"))
    about = as_dict(get("additional_media_info"))
    return Media(
        type=known,
        url=url,
        id=as_id(get("id_str")),
        alt_text=as_text(get("ext_alt_text")),
        width=as_count(size.get("width")),
        height=as_count(size.get("height")),
        duration_ms=as_count(video.get("duration_millis")) if video else None,
        views=_views(entry),
        title=as_text(about.get("title")) if about else None,
        description=as_text(about.get("description")) if about else None,
        warnings=_warnings(marks) if (marks := get("sensitive_media_warning")) else [],
        unavailable=_unavailable(as_dict(get("ext_media_availability"))),
        variants=_variants(video.get("variants")) if video else [],
    )


def _views(entry: Json) -> int | None:
    for holder, name in (("mediaStats", "viewCount"), ("ext_media_stats", "view_count")):
        if holder in entry and (views := as_count(dig(entry, holder, name))) is not None:
            return views
    return None


def _warnings(marks: Any) -> list[str]:
    return [name for name, value in as_dict(marks).items() if value is True]


def _unavailable(availability: Json) -> str | None:
    status = as_text(availability.get("status"))
    if status is None or status == "Available":
        return None
    return as_text(availability.get("reason")) or status


def _variants(entries: Any) -> list[Variant]:
    variants: list[Variant] = []
    for entry in as_list(entries):
        if type(entry) is dict and (url := as_text(entry.get("url"))):
            kind = as_text(entry.get("content_type")) or ""
            variants.append(Variant(url=url, content_type=kind, bitrate=as_count(entry.get("bitrate"))))
    return variants
