"""Tokens of a platform's official API in an account file: checked, without repeating what stood there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

TOKENS: Final = ("bearer_token", "client_id", "client_secret", "refresh_token")
BEARER: Final = "A" * 20
"""What X's bearer tokens of apps begin with."""
_TOKEN = re.compile(r"[\x21-\x7e]{1,4096}")


def tokens_of(raw: Mapping[str, str]) -> dict[str, str]:
    """The tokens that a record brings; empty when it is a login of the web."""
    return {name: raw[name].strip() for name in TOKENS if raw.get(name, "").strip()}


def bad_tokens(given: Mapping[str, str], username: str, *, login: bool) -> str:
    """Why these are no tokens of one account, as a sentence; empty when they are."""
    if bad := next((name for name, value in given.items() if not _TOKEN.fullmatch(value)), ""):
        return f"The field {bad} is no token: those have 1 to 4096 visible characters and no blank."
    user = "refresh_token" in given
    if user and "bearer_token" in given:
        return "Has a bearer_token and a refresh_token: an account has one of them."
    if user and "client_id" not in given:
        return "A refresh_token needs the client_id that it was given to."
    if not user and len(given) > ("bearer_token" in given):
        return "client_id and client_secret are for a refresh_token: it is missing."
    if login:
        return "Has tokens of the official API and a password or cookies: those are two accounts, on two lines."
    return "" if username else "Tokens of the official API need a username: what the account is called here."
