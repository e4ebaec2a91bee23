"""What else X says of a post and no field of an item holds; the README documents the names."""

from __future__ import annotations

from typing import Any

from xget_sources.x.parser.values import Json, as_count, as_dict, as_id, as_list, as_text, dig

_RARE = frozenset(
    {"voice_info", "article", "community_results", "community", "withheld_in_countries", "withheld_scope"}
    | {"conversation_control", "limited_actions", "self_thread", "birdwatch_pivot", "exclusive_tweet_info"}
    | {"previous_counts"}
)


def post_extra(flat: Json, note: Json) -> dict[str, Any]:
    """Further facts of a flattened post by documented name; absent ones are left out."""
    extra: dict[str, Any] = {}
    if flat.get("is_quote_status") is True:
        extra["is_quote"] = True
    if flat.get("is_translatable") is True:
        extra["translatable"] = True
    if note:
        extra["long"] = True
    display = flat.get("display_text_range")
    if type(display) is list and all(type(offset) is int for offset in display):
        extra["display_range"] = display
    if edit := _edit(flat.get("edit_control")):
        extra["edit"] = edit
    if not _RARE.isdisjoint(flat):
        _rare(flat, extra)
    return extra


def _rare(flat: Json, extra: dict[str, Any]) -> None:
    if type(voice := flat.get("voice_info")) is dict:
        extra["voice"] = voice
    if article := as_dict(dig(flat, "article", "article_results", "result")):
        known = {"id": as_id(article.get("rest_id")), "title": as_text(article.get("title"))}
        known["preview"] = as_text(article.get("preview_text"))
        extra["article"] = {name: value for name, value in known.items() if value is not None}
    for holder in ("community_results", "community"):
        community = as_dict(dig(flat, holder, "result"))
        if native_id := as_id(community.get("rest_id")) or as_id(community.get("id_str")):
            extra["community"] = {"id": native_id, "name": as_text(community.get("name")) or ""}
    if withheld := [code for code in as_list(flat.get("withheld_in_countries")) if type(code) is str]:
        extra["withheld_in"] = withheld
    if type(scope := flat.get("withheld_scope")) is str:
        extra["withheld_scope"] = scope
    if policy := as_text(dig(flat, "conversation_control", "policy")) or as_text(flat.get("limited_actions")):
        extra["reply_policy"] = policy
    if thread := as_id(dig(flat, "self_thread", "id_str")):
        extra["self_thread_id"] = thread
    if note := as_text(dig(flat, "birdwatch_pivot", "subtitle", "text")):
        extra["community_note"] = note
    if type(exclusive := flat.get("exclusive_tweet_info")) is dict and exclusive:
        extra["subscribers_only"] = True
    if type(before := flat.get("previous_counts")) is dict:
        counts = {name: n for name, value in before.items() if (n := as_count(value)) is not None}
        extra["counts_before_edit"] = counts


def _edit(raw: Any) -> dict[str, Any]:
    """Edit control, the first version's merged in: ids of all versions, until when and how often it may be edited."""
    control = as_dict(raw)
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
