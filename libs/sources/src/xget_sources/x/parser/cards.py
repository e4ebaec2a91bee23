"""Cards of posts: polls, link summaries, players, unified cards, broadcasts and audio spaces."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import orjson

from xget_contracts.items import Card, PollOption
from xget_sources.x.parser.media import parse_media
from xget_sources.x.parser.values import Json, as_count, as_dict, as_list, as_text, as_time, dig

_POLL = re.compile(r"(?:\d+:)?poll(?:\d+choice_\w+|_choice_images)")
_BROADCASTS = frozenset({"broadcast", "periscope_broadcast"})
_MAX_CHOICES = 20
_MAX_VALUE = 2000

Bindings = dict[str, Any]


def parse_card(raw: Any) -> Card | None:
    """The card of a post, or None when it has none or X sent only its address."""
    legacy = as_dict(dig(raw, "legacy")) or as_dict(raw)
    name = as_text(legacy.get("name"))
    if name is None:
        return None
    bindings, images = _bindings(legacy.get("binding_values"))
    kind = name.rpartition(":")[2]
    if _POLL.fullmatch(name):
        return _poll(name, bindings, images)
    if kind == "unified_card":
        return _unified(name, bindings, legacy)
    if kind == "audiospace":
        url = bindings.pop("card_url", None)
        return Card(type="audiospace", name=name, url=as_text(url), values=bindings)
    if kind in _BROADCASTS:
        return _broadcast(name, bindings, images)
    return _summary(name, kind, bindings, images)


def _bindings(entries: Any) -> tuple[Bindings, list[tuple[int, str, str]]]:
    """Texts, flags and numbers by name, and the images as (height, name, url). Values are a list or an object."""
    bindings: Bindings = {}
    images: list[tuple[int, str, str]] = []
    pairs = entries.items() if type(entries) is dict else ((dig(e, "key"), dig(e, "value")) for e in as_list(entries))
    for key, value in pairs:
        if type(key) is not str or type(value) is not dict:
            continue
        if type(image := value.get("image_value")) is dict:
            if url := as_text(image.get("url")):
                images.append((as_count(image.get("height")) or 0, key, url))
            continue
        for field in ("string_value", "boolean_value", "integer_value"):
            if type(found := value.get(field)) in (str, bool, int):
                bindings.setdefault(key, found)
                break
    return bindings, images


def _largest(images: list[tuple[int, str, str]]) -> str | None:
    """The first of the tallest images, as X lists them."""
    return max(images, key=lambda image: image[0])[2] if images else None


def _title(bindings: Bindings) -> str | None:
    """The longest of title and alt texts: X cuts the title at 70 characters."""
    names = [name for name in bindings if name == "title" or name.endswith("_alt_text")]
    texts = [text for name in names if type(text := bindings.pop(name)) is str]
    return max(texts, key=len) or None if texts else None


def _rest(bindings: Bindings) -> Bindings:
    return {name: v[:_MAX_VALUE] if type(v) is str else v for name, v in bindings.items() if v != ""}


def _summary(name: str, kind: str, bindings: Bindings, images: list[tuple[int, str, str]]) -> Card:
    title = _title(bindings)
    return Card(
        type=kind,
        name=name,
        url=as_text(bindings.pop("card_url", None)),
        title=title,
        description=as_text(bindings.pop("description", None)),
        image=_largest(images),
        values=_rest(bindings),
    )


def _broadcast(name: str, bindings: Bindings, images: list[tuple[int, str, str]]) -> Card:
    return Card(
        type="broadcast",
        name=name,
        url=as_text(bindings.pop("broadcast_url", None)) or as_text(bindings.get("card_url")),
        title=as_text(bindings.pop("broadcast_title", None)) or as_text(bindings.get("title")),
        image=_largest(images),
        values=_rest(bindings),
    )


def _poll(name: str, bindings: Bindings, images: list[tuple[int, str, str]]) -> Card:
    options: list[PollOption] = []
    for number in range(1, _MAX_CHOICES + 1):
        label = bindings.pop(f"choice{number}_label", None)
        votes = bindings.pop(f"choice{number}_count", None)
        if type(label) is not str:
            break
        options.append(PollOption(label=label, votes=as_count(votes)))
    final = bindings.pop("counts_are_final", None)
    return Card(
        type="poll",
        name=name,
        url=as_text(bindings.pop("card_url", None)),
        image=_largest(images),
        options=options,
        finished=final is True,
        ends_at=as_time(bindings.pop("end_datetime_utc", None)),
        duration_minutes=as_count(bindings.pop("duration_minutes", None)),
        values=_rest(bindings),
    )


def _unified(name: str, bindings: Bindings, legacy: Json) -> Card:
    try:
        unified = as_dict(orjson.loads(bindings.pop("unified_card", None) or b"{}"))
    except (orjson.JSONDecodeError, TypeError):
        unified = {}
    components = as_dict(unified.get("component_objects"))
    details = _component(components, "details_1", "details")
    target = _destination(as_dict(unified.get("destination_objects")))
    media = next((m for m in as_dict(unified.get("media_entities")).values() if type(m) is dict), {})
    values = _rest(bindings)
    if vanity := as_text(target.get("vanity")):
        values["vanity_url"] = vanity
    if kind := as_text(unified.get("type")):
        values["unified_type"] = kind
    if shown := [video for video in parse_media([media]) if video.type == "video"]:
        values["video"] = msgspec.to_builtins(shown[0])
    return Card(
        type="unified_card",
        name=name,
        url=as_text(target.get("url")) or as_text(legacy.get("url")),
        title=as_text(dig(details, "title", "content")),
        description=as_text(dig(details, "subtitle", "content")),
        image=as_text(media.get("media_url_https")),
        values=values,
    )


def _component(components: Json, name: str, kind: str) -> Json:
    named = as_dict(dig(components, name, "data"))
    if named:
        return named
    return next((as_dict(c.get("data")) for c in components.values() if type(c) is dict and c.get("type") == kind), {})


def _destination(destinations: Json) -> Json:
    """Where the card leads: the browser with docked media, else the first destination with an address."""
    usual = as_dict(dig(destinations, "browser_with_docked_media_1", "data", "url_data"))
    others = (as_dict(dig(entry, "data", "url_data")) for entry in destinations.values())
    return usual or next((data for data in others if data.get("url")), {})
