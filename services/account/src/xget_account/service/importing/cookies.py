"""Cookies in the forms people have them: a header, JSON of a browser extension, base64 of either."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

REQUIRED = ("auth_token", "ct0")
HOSTS = ("x.com", "twitter.com")

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}")
_VALUE = re.compile(r"[\x21-\x3a\x3c-\x7e]{1,4096}")
_TWID = re.compile(r'"?u(?:=|%3D)(\d{1,20})"?', re.IGNORECASE)
_MOST = 200


def from_text(text: str) -> dict[str, str]:
    """Cookies of one field: a header string, JSON or base64 of those. Empty when it is none of them."""
    text = text.strip()
    for candidate in (_unwrapped(text), text):
        found = from_json(parse_json(candidate)) if candidate[:1] in "[{" else from_header(candidate)
        if found:
            return found
    return {}


def from_header(text: str) -> dict[str, str]:
    """`name=value; name=value`, with or without `Cookie:` in front."""
    text = re.sub(r"^\s*(set-)?cookie\s*:", "", text, flags=re.IGNORECASE)
    pairs = (part.partition("=") for part in text.split(";"))
    return {name.strip(): value.strip() for name, equals, value in pairs if equals and _NAME.fullmatch(name.strip())}


def from_json(value: Any) -> dict[str, str]:
    """A list of `{name, value, domain}`, Playwright's `{cookies: […]}` or a plain `{name: value}`."""
    if isinstance(value, dict):
        inner = value.get("cookies")
        if isinstance(inner, (list, dict)):
            return from_json(inner)
        return {str(k): str(v) for k, v in value.items() if isinstance(v, (str, int)) and not isinstance(v, bool)}
    if isinstance(value, list):
        return of_hosts(
            (str(c.get("domain") or c.get("host") or ""), str(c["name"]), str(c["value"]))
            for c in value
            if isinstance(c, dict) and "name" in c and "value" in c
        )
    return {}


def of_hosts(cookies: Iterable[tuple[str, str, str]]) -> dict[str, str]:
    """Those of (domain, name, value) that belong to X; what x.com says wins over twitter.com and over no domain."""
    ranked: dict[str, tuple[int, str]] = {}
    for domain, name, value in cookies:
        host = domain.strip().lstrip(".").lower()
        rank = next((len(HOSTS) - i for i, h in enumerate(HOSTS) if host == h or host.endswith("." + h)), 0)
        if (rank or not host) and rank >= ranked.get(name, (-1, ""))[0]:
            ranked[name] = (rank, value)
    return {name: value for name, (_, value) in ranked.items()}


def missing(cookies: Mapping[str, str]) -> str:
    """Why these cookies cannot be used, as a sentence; empty when they can."""
    lacking = [name for name in REQUIRED if not cookies.get(name)]
    if lacking:
        have = " Some of their names are there, but not these." if cookies else ""
        names = " and ".join(lacking)
        return f"Has no cookie {names} of x.com: export the cookies again while logged in to X.{have}"
    broken = [name for name in REQUIRED if not _VALUE.fullmatch(cookies[name].strip())]
    if broken:
        return f"The cookie {' and '.join(broken)} holds characters that a cookie cannot have."
    return ""


def usable(cookies: Mapping[str, str]) -> dict[str, str]:
    """The cookies that can be sent: the two required ones first, at most 200, malformed ones left out."""
    ordered = [*REQUIRED, *(name for name in cookies if name not in REQUIRED)]
    sound = {n: cookies[n].strip() for n in ordered if _NAME.fullmatch(n) and _VALUE.fullmatch(cookies[n].strip())}
    return dict(list(sound.items())[:_MOST])


def twitter_id(cookies: Mapping[str, str]) -> str:
    """The account's numeric id from the cookie `twid` (`u%3D123`); empty when it is not there."""
    match = _TWID.fullmatch(cookies.get("twid", "").strip())
    return match.group(1) if match else ""


def parse_json(text: str) -> Any:
    """The JSON value of a text, None when it is not JSON (or nested too deep to be a cookie file)."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _unwrapped(text: str) -> str:
    """What base64 hides, if it hides cookies; otherwise the text."""
    try:
        plain = base64.b64decode(text, validate=True).decode()
    except (binascii.Error, ValueError):
        return text
    return plain.strip() if "auth_token" in plain else text
