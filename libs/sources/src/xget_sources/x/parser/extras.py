"""What else X says of a post and no field of an item holds; the README documents the names."""

from __future__ import annotations

from typing import Any, Final

from xget_sources.x.parser.articles import article_of
from xget_sources.x.parser.values import Json, as_count, as_dict, as_id, as_list, as_text, dig

_RARE: Final = frozenset(
    {"voice_info", "article", "community_results", "community", "withheld_in_countries", "withheld_scope"}
    | {"withheld_copyright", "conversation_control", "limited_actions", "self_thread", "birdwatch_pivot"}
    | {"exclusive_tweet_info", "previous_counts", "content_disclosure", "collab_control"}
)


def post_extra(flat: Json, note: Json) -> dict[str, Any]:
    """Further facts of a flattened post by documented name; absent ones are left out."""
    extra: dict[str, Any] = {}
    if flat.get("is_quote_status") is True:
        extra["is_quote"] = True
    if flat.get("is_translatable") is True:
        extra["translatable"] = True
    if note:
        _long(note, extra)
    display = flat.get("display_text_range")
    if type(display) is list and all(type(offset) is int for offset in display):
        extra["display_range"] = display
    if edit := edit_of(flat.get("edit_control")):
        extra["edit"] = edit
    if flat.get("has_birdwatch_notes") is True:
        extra["has_community_note"] = True
    if not _RARE.isdisjoint(flat):
        _rare(flat, extra)
    return extra


def wrapped_extra(wrapper: Json) -> dict[str, Any]:
    """What X put around a post: actions that it does not allow, a warning, or that this is only a preview."""
    extra: dict[str, Any] = {}
    if wrapper.get("__typename") == "TweetPreviewDisplay":
        extra["subscribers_only"] = extra["preview"] = True
    limits = as_list(dig(wrapper, "limitedActionResults", "limited_actions"))
    if actions := [action for entry in limits if (action := as_text(dig(entry, "action")))]:
        extra["limited_actions"] = actions
    for holder, *path in _WARNINGS:
        if words := as_text(dig(wrapper.get(holder), *path)):
            extra["warning"] = words
    return extra


_WARNINGS: Final = (
    ("tweetInterstitial", "text", "text"),
    ("mediaVisibilityResults", "blurred_image_interstitial", "text", "text"),
    ("softInterventionPivot", "title", "text"),
)


def _long(note: Json, extra: dict[str, Any]) -> None:
    extra["long"] = True
    styles: list[dict[str, Any]] = []
    for tag in as_list(dig(note, "richtext", "richtext_tags")):
        start, end = as_count(dig(tag, "from_index")), as_count(dig(tag, "to_index"))
        kinds = [kind for value in as_list(dig(tag, "richtext_types")) if (kind := as_text(value))]
        if start is not None and end is not None and kinds:
            styles.append({"from": start, "to": end, "types": kinds})
    if styles:
        extra["styles"] = styles


def _rare(flat: Json, extra: dict[str, Any]) -> None:
    if type(voice := flat.get("voice_info")) is dict:
        extra["voice"] = voice
    if article := article_of(flat.get("article")):
        extra["article"] = article
    for holder in ("community_results", "community"):
        community = as_dict(dig(flat, holder, "result"))
        if native_id := as_id(community.get("rest_id")) or as_id(community.get("id_str")):
            extra["community"] = {"id": native_id, "name": as_text(community.get("name")) or ""}
    if policy := as_text(dig(flat, "conversation_control", "policy")) or as_text(flat.get("limited_actions")):
        extra["reply_policy"] = policy
    if thread := as_id(dig(flat, "self_thread", "id_str")):
        extra["self_thread_id"] = thread
    if type(exclusive := flat.get("exclusive_tweet_info")) is dict and exclusive:
        extra["subscribers_only"] = True
    if type(before := flat.get("previous_counts")) is dict:
        counts = {name: n for name, value in before.items() if (n := as_count(value)) is not None}
        extra["counts_before_edit"] = counts
    _withheld(flat, extra)
    _notes(flat, extra)


def _withheld(flat: Json, extra: dict[str, Any]) -> None:
    if withheld := [code for code in as_list(flat.get("withheld_in_countries")) if type(code) is str]:
        extra["withheld_in"] = withheld
    if type(scope := flat.get("withheld_scope")) is str:
        extra["withheld_scope"] = scope
    if flat.get("withheld_copyright") is True:
        extra["withheld_copyright"] = True


def _notes(flat: Json, extra: dict[str, Any]) -> None:
    pivot = as_dict(flat.get("birdwatch_pivot"))
    if text := as_text(dig(pivot, "subtitle", "text")):
        extra["community_note"] = text
    if native_id := as_id(dig(pivot, "note", "rest_id")):
        extra["community_note_id"] = native_id
    if dig(flat, "content_disclosure", "advertising_disclosure", "is_paid_promotion") is True:
        extra["paid_promotion"] = True
    joint = as_list(dig(flat, "collab_control", "collaborators_results", "results"))
    if ids := [native_id for entry in joint if (native_id := as_id(dig(entry, "result", "rest_id")))]:
        extra["collaborators"] = ids


def edit_of(raw: Any) -> dict[str, Any]:
    """Edit control, the first version's merged in: ids of all versions, until when and how often it may be edited."""
    if type(raw) is not dict:
        return {}
    control: Json = raw
    if initial := as_dict(control.get("edit_control_initial")):
        control = {**initial, **control}
    edit: dict[str, Any] = {}
    if ids := [native_id for value in as_list(control.get("edit_tweet_ids")) if (native_id := as_id(value))]:
        edit["ids"] = ids
    if first := as_id(control.get("initial_tweet_id")):
        edit["initial_id"] = first
    if (until := as_count(control.get("editable_until_msecs"))) is not None:
        edit["until_ms"] = until
    if (remaining := as_count(control.get("edits_remaining"))) is not None:
        edit["remaining"] = remaining
    if type(eligible := control.get("is_edit_eligible")) is bool:
        edit["eligible"] = eligible
    return edit
