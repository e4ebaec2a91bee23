"""Media, polls and places that come along with posts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xget_contracts.items import Card, Coordinates, Media, Place, PollOption, Variant
from xget_sources.x.parser.values import Json, as_count, as_dict, as_float, as_id, as_list, as_text, as_time, dig

Included = Mapping[str, Mapping[str, Json]]
"""Records by kind (media, polls, places) and key."""
_MEDIA: dict[Any, Any] = {"photo": "photo", "video": "video", "animated_gif": "animated_gif"}


def media_of(included: Included, key: str) -> Media | None:
    record = as_dict(included["media"].get(key))
    kind, url = record.get("type"), as_text(record.get("url")) or as_text(record.get("preview_image_url"))
    known = _MEDIA.get(kind) if type(kind) is str else None
    if known is None or url is None:
        return None
    return Media(
        type=known,
        url=url,
        id=as_id(key.rpartition("_")[2]),
        alt_text=as_text(record.get("alt_text")),
        width=as_count(record.get("width")),
        height=as_count(record.get("height")),
        duration_ms=as_count(record.get("duration_ms")),
        views=as_count(dig(record, "public_metrics", "view_count")),
        variants=_variants(record.get("variants")),
    )


def poll_of(included: Included, record: Json) -> Card | None:
    key = next(iter(keys_of(record, "poll_ids")), None)
    poll = as_dict(included["polls"].get(key or ""))
    if key is None or not poll:
        return None
    rows = [as_dict(row) for row in as_list(poll.get("options"))]
    options = [
        PollOption(label=label, votes=as_count(row.get("votes")))
        for row in rows
        if (label := as_text(row.get("label")))
    ]
    return Card(
        type="poll",
        name=f"poll{len(options)}choice_text_only",
        options=options,
        finished=poll.get("voting_status") == "closed",
        ends_at=as_time(poll.get("end_datetime")),
        duration_minutes=as_count(poll.get("duration_minutes")),
    )


def place_of(included: Included, key: str | None) -> Place | None:
    if key is None:
        return None
    place = as_dict(included["places"].get(key))
    box = [edge for value in as_list(dig(place, "geo", "bbox")) if (edge := as_float(value)) is not None]
    return Place(
        id=key,
        full_name=as_text(place.get("full_name")),
        name=as_text(place.get("name")),
        type=as_text(place.get("place_type")),
        country=as_text(place.get("country")),
        country_code=as_text(place.get("country_code")),
        box=box if len(box) == 4 else [],
    )


def keys_of(record: Json, kind: str) -> list[str]:
    return [key for key in as_list(dig(record, "attachments", kind)) if type(key) is str]


def _variants(rows: Any) -> list[Variant]:
    found = []
    for row in map(as_dict, as_list(rows)):
        if url := as_text(row.get("url")):
            kind = as_text(row.get("content_type")) or ""
            found.append(Variant(url=url, content_type=kind, bitrate=as_count(row.get("bit_rate"))))
    return found


def coordinates_of(point: Any) -> Coordinates | None:
    if type(point) is not list or len(point) != 2:
        return None
    longitude, latitude = as_float(point[0]), as_float(point[1])
    if longitude is None or latitude is None:
        return None
    return Coordinates(longitude=longitude, latitude=latitude)
