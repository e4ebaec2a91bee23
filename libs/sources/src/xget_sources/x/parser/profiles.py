"""What else X says of an author and no field holds; the README documents the names."""

from __future__ import annotations

from typing import Any, Final

from xget_sources.x.parser.values import Json, as_bool, as_count, as_dict, as_id, as_list, as_text, dig

_FLAGS: Final = (
    ("default_profile_image", "default_avatar"),
    ("default_profile", "default_profile"),
    ("has_graduated_access", "graduated_access"),
    ("super_follow_eligible", "offers_subscriptions"),
    ("has_hidden_subscriptions_on_profile", "hidden_subscriptions"),
    ("possibly_sensitive", "sensitive"),
    ("is_translator", "translator"),
    ("has_custom_timelines", "custom_timelines"),
)
_TEXTS: Final = (
    ("profile_image_shape", "avatar_shape", "Circle"),
    ("parody_commentary_fan_label", "parody", "None"),
    ("profile_description_language", "description_lang", None),
    ("translator_type", "translator_type", "none"),
    ("profile_interstitial_type", "interstitial", None),
)
"""X's field, our name, and what X says of nearly everybody."""
_COUNTS: Final = (("creator_subscriptions_count", "subscriptions"), ("fast_followers_count", "fast_followers"))


def author_extra(flat: Json) -> dict[str, Any]:
    """Further facts of a user result, its `legacy` merged in, by documented name; absent ones are left out.

    It runs for every user of every page: what is absent costs one look.
    """
    get = flat.get
    extra: dict[str, Any] = {name: True for field, name in _FLAGS if get(field) is True}
    for field, name, usual in _TEXTS:
        if (text := get(field)) and text != usual and type(text) is str:
            extra[name] = text
    for field, name in _COUNTS:
        if (number := get(field)) and (number := as_count(number)):
            extra[name] = number
    if label := get("affiliates_highlighted_label") or get("identity_profile_labels_highlighted_label"):
        _affiliation(label, extra)
    if job := get("professional"):
        _profession(as_dict(job), extra)
    if about := get("highlights_info"):
        _highlights(about, extra)
    if business := get("business_account"):
        _affiliates(business, extra)
    if tips := get("tipjar_settings"):
        _tips(as_dict(tips), extra)
    if verification := get("verification_info"):
        _verified(as_dict(verification), extra)
    if about := get("about_profile"):
        extra["about"] = _about(as_dict(about), as_dict(verification))
    _rare(flat, extra)
    return extra


def _rare(flat: Json, extra: dict[str, Any]) -> None:
    get = flat.get
    if (codes := get("withheld_in_countries")) and (codes := [code for code in as_list(codes) if type(code) is str]):
        extra["withheld_in"] = codes
    if scope := as_text(get("withheld_scope")):
        extra["withheld_scope"] = scope
    if profile := get("legacy_extended_profile"):
        birth = as_dict(as_dict(profile).get("birthdate"))
        if date := {name: number for name in ("year", "month", "day") if (number := as_count(birth.get(name)))}:
            extra["birthdate"] = date


def _affiliation(raw: Any, extra: dict[str, Any]) -> None:
    """With whom X shows the author to be, such as a company's staff."""
    label = as_dict(dig(raw, "label"))
    known = {
        "affiliation": as_text(label.get("description")),
        "affiliation_type": as_text(label.get("userLabelType")),
        "affiliation_url": as_text(dig(label, "url", "url")),
        "affiliation_badge_url": as_text(dig(label, "badge", "url")),
    }
    extra.update({name: text for name, text in known.items() if text is not None})


def _highlights(raw: Any, extra: dict[str, Any]) -> None:
    if number := as_count(dig(raw, "highlighted_tweets")):
        extra["highlights"] = number


def _affiliates(raw: Any, extra: dict[str, Any]) -> None:
    if number := as_count(dig(raw, "affiliates_count")):
        extra["affiliates"] = number


def _tips(tips: Json, extra: dict[str, Any]) -> None:
    if handles := {name: text for name, value in tips.items() if (text := as_text(value))}:
        extra["tipjar"] = handles


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
