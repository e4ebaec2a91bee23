"""What else X says of an author and no field holds; the README documents the names."""

from __future__ import annotations

from typing import Any, Final

from xget_sources.x.parser.values import Json, as_bool, as_count, as_dict, as_id, as_list, as_text, dig

_FLAGS: Final = (
    ("default_profile_image", "default_avatar"),
    ("default_profile", "default_profile"),
    ("has_graduated_access", "graduated_access"),
    ("super_follow_eligible", "offers_subscriptions"),
    ("possibly_sensitive", "sensitive"),
    ("is_translator", "translator"),
    ("has_custom_timelines", "custom_timelines"),
    ("has_hidden_subscriptions_on_profile", "hidden_subscriptions"),
)
"""X's name of a flag and ours: told when it is true."""
_TEXTS: Final = (
    ("profile_image_shape", "avatar_shape", "Circle"),
    ("parody_commentary_fan_label", "parody", "None"),
    ("translator_type", "translator_type", "none"),
    ("profile_description_language", "description_lang", ""),
    ("profile_interstitial_type", "interstitial", ""),
)
"""X's name of a text, ours, and what it says when there is nothing to tell."""
_RARE: Final = frozenset(
    {"withheld_in_countries", "business_account", "tipjar_settings", "about_profile", "verification_info"}
    | {"legacy_extended_profile", "professional", "highlights_info", "withheld_scope"}
)


def author_extra(record: Json, flat: Json) -> dict[str, Any]:
    """Further facts of a user result (`flat`: with its `legacy` in it) by documented name; absent ones are left out."""
    get = flat.get
    extra: dict[str, Any] = {ours: True for name, ours in _FLAGS if get(name) is True}
    for name, ours, nothing in _TEXTS:
        if (text := get(name)) is not None and type(text) is str and text not in (nothing, ""):
            extra[ours] = text
    if (label := as_dict(get("affiliates_highlighted_label")).get("label")) is not None:
        _affiliation(label, extra)
    if subscriptions := as_count(get("creator_subscriptions_count")):
        extra["subscriptions"] = subscriptions
    if fast := as_count(get("fast_followers_count")):
        extra["fast_followers"] = fast
    if not _RARE.isdisjoint(flat):
        _rare(flat, extra)
    return extra


def _affiliation(label: Any, extra: dict[str, Any]) -> None:
    """With whom X shows the author to be, such as a company's staff."""
    known = {
        "affiliation": as_text(dig(label, "description")),
        "affiliation_type": as_text(dig(label, "userLabelType")),
        "affiliation_url": as_text(dig(label, "url", "url")),
        "affiliation_badge_url": as_text(dig(label, "badge", "url")),
    }
    extra.update({name: text for name, text in known.items() if text is not None})


def _rare(flat: Json, extra: dict[str, Any]) -> None:
    get = flat.get
    if job := as_dict(get("professional")):
        _profession(job, extra)
    if withheld := [code for code in as_list(get("withheld_in_countries")) if type(code) is str]:
        extra["withheld_in"] = withheld
    if scope := as_text(get("withheld_scope")):
        extra["withheld_scope"] = scope
    if highlights := as_count(as_dict(get("highlights_info")).get("highlighted_tweets")):
        extra["highlights"] = highlights
    if affiliates := as_count(as_dict(get("business_account")).get("affiliates_count")):
        extra["affiliates"] = affiliates
    if tips := as_dict(get("tipjar_settings")):
        handles = {name: text for name, value in tips.items() if (text := as_text(value))}
        extra |= {"tipjar": handles} if handles else {}
    if birth := as_dict(as_dict(get("legacy_extended_profile")).get("birthdate")):
        extra["birthdate"] = {name: value for name in ("year", "month", "day") if (value := as_count(birth.get(name)))}
    verification = as_dict(get("verification_info"))
    if verification:
        _verified(verification, extra)
    if about := as_dict(get("about_profile")):
        extra["about"] = _about(about, verification)


def _profession(job: Json, extra: dict[str, Any]) -> None:
    if kind := as_text(job.get("professional_type")):
        names = [as_text(dig(entry, "name")) for entry in as_list(job.get("category"))]
        extra["professional"] = {"type": kind, "categories": [name for name in names if name]}


def _verified(verification: Json, extra: dict[str, Any]) -> None:
    reason = as_dict(verification.get("reason"))
    if since := as_count(reason.get("verified_since_msec")):
        extra["verified_since_ms"] = since
    if words := as_text(dig(reason, "description", "text")):
        extra["verified_because"] = words
    if verification.get("is_identity_verified") is True:
        extra["identity_verified"] = True


def _about(about: Json, verification: Json) -> dict[str, Any]:
    """What "About this account" says: where it was made, how often it was renamed, what its app is."""
    changes = as_dict(about.get("username_changes"))
    known = {
        "based_in": as_text(about.get("account_based_in")),
        "location_accurate": as_bool(about.get("location_accurate")),
        "created_country_accurate": as_bool(about.get("created_country_accurate")),
        "affiliate_username": as_text(about.get("affiliate_username")),
        "affiliate_id": as_id(dig(about, "affiliate", "rest_id")),
        "source": as_text(about.get("source")),
        "username_changes": as_count(changes.get("count")),
        "username_last_changed_ms": as_count(changes.get("last_changed_at_msec")),
        "identity_verified": as_bool(verification.get("is_identity_verified")),
    }
    return {name: value for name, value in known.items() if value is not None}
