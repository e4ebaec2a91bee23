"""Which fields an answer has, so that a change of X's API is noticed."""

from __future__ import annotations

from typing import Any, Final

import orjson

from xget_sources.ports import KnownFields, PageToParse
from xget_sources.x.parser.values import Json, as_dict, as_list

_DEEPEST: Final = 12
_MOST: Final = 5_000
_POST: Final = (
    "attachments attachments.media_keys attachments.poll_ids author_id community_id conversation_id created_at "
    "edit_controls edit_controls.editable_until edit_controls.edits_remaining edit_controls.is_edit_eligible "
    "edit_history_tweet_ids geo geo.place_id geo.coordinates geo.coordinates.type geo.coordinates.coordinates id "
    "in_reply_to_user_id lang note_tweet note_tweet.text possibly_sensitive public_metrics reply_settings text "
    "referenced_tweets referenced_tweets[].type referenced_tweets[].id withheld withheld.copyright "
    "withheld.country_codes withheld.scope"
)
_COUNTS: Final = "retweet_count reply_count like_count quote_count bookmark_count impression_count"
_ENTITIES: Final = (
    "urls[].start urls[].end urls[].url urls[].expanded_url urls[].display_url urls[].media_key urls[].title "
    "urls[].description urls[].unwound_url urls[].status urls[].images urls[].images[].url urls[].images[].width "
    "urls[].images[].height hashtags hashtags[].start hashtags[].end hashtags[].tag cashtags cashtags[].start "
    "cashtags[].end cashtags[].tag mentions mentions[].start mentions[].end mentions[].username mentions[].id urls "
    "annotations annotations[].start annotations[].end annotations[].probability annotations[].type "
    "annotations[].normalized_text"
)
_USER: Final = (
    "created_at description entities entities.url entities.description id location name pinned_tweet_id "
    "profile_banner_url profile_image_url protected public_metrics url username verified verified_type withheld "
    "withheld.country_codes withheld.scope public_metrics.followers_count public_metrics.following_count "
    "public_metrics.tweet_count public_metrics.listed_count public_metrics.like_count public_metrics.media_count"
)
_MEDIA: Final = (
    "alt_text duration_ms height media_key preview_image_url public_metrics public_metrics.view_count type url "
    "variants variants[].bit_rate variants[].content_type variants[].url width"
)
_POLL: Final = "duration_minutes end_datetime id options options[].position options[].label options[].votes "
_PLACE: Final = (
    "country country_code full_name geo geo.type geo.bbox geo.properties id name place_type contained_within"
)
_INCLUDED: Final = {"tweets": "post", "users": "user", "media": "media", "polls": "poll", "places": "place"}


def known_fields() -> KnownFields:
    """The baseline: what X documents of the fields that are asked for."""
    post = {
        *_POST.split(),
        *(f"public_metrics.{name}" for name in _COUNTS.split()),
        *(f"{holder}.{name}" for holder in ("entities", "note_tweet.entities") for name in _ENTITIES.split()),
        "entities",
        "note_tweet.entities",
    }
    user = {
        *_USER.split(),
        *(f"entities.{holder}.{name}" for holder in ("url", "description") for name in _ENTITIES.split()),
    }
    known = {
        "post": frozenset(post),
        "user": frozenset(user),
        "media": frozenset(_MEDIA.split()),
        "poll": frozenset([*_POLL.split(), "voting_status"]),
        "place": frozenset(_PLACE.split()),
    }
    usual = {
        "post": frozenset(["id", "text", "author_id", "created_at", "public_metrics", "edit_history_tweet_ids"]),
        "user": frozenset(["id", "name", "username", "created_at", "public_metrics"]),
        "media": frozenset(["media_key", "type"]),
    }
    return KnownFields(known=known, usual=usual)


def fields_of_page(page: PageToParse) -> dict[str, frozenset[str]]:
    """Paths of fields by shape. Pure, never raises."""
    try:
        payload = orjson.loads(page.body)
    except orjson.JSONDecodeError:
        return {}
    found: dict[str, set[str]] = {}
    for shape, record in _records(as_dict(payload)):
        _walk(record, "", found.setdefault(shape, set()), 0)
    return {shape: frozenset(paths) for shape, paths in found.items()}


def _records(payload: Json) -> list[tuple[str, Json]]:
    data, included = payload.get("data"), as_dict(payload.get("includes"))
    rows = [*as_list(data), *([data] if type(data) is dict else [])]
    found = [("user" if "username" in row else "post", row) for row in rows if type(row) is dict]
    for name, shape in _INCLUDED.items():
        found += [(shape, row) for row in as_list(included.get(name)) if type(row) is dict]
    return found


def _walk(value: Any, path: str, paths: set[str], depth: int) -> None:
    if depth > _DEEPEST or len(paths) > _MOST:
        return
    if type(value) is dict:
        for name, inner in value.items():
            here = f"{path}.{name}" if path else name
            paths.add(here)
            _walk(inner, here, paths, depth + 1)
    elif type(value) is list:
        for inner in value:
            if type(inner) in (dict, list):
                _walk(inner, f"{path}[]", paths, depth + 1)
