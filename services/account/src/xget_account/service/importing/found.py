"""One record of an account file, checked: either an account or the reason why it is none."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from xget_account.service.importing.cookies import missing, twitter_id, usable
from xget_account.service.importing.tokens import TOKENS, bad_tokens, tokens_of
from xget_kernel.secrets import NotPickled
from xget_kernel.totp import read_secret

LOGIN = (
    "username", "password", "email", "email_password", "totp", "user_agent", "login_method", "cookies", "auth_token",
    "ct0",
)  # fmt: skip
METHODS = ("TWITTER", "GOOGLE")
"""Ways to log in that a file may name."""
FIELDS = LOGIN + TOKENS
LIMITS = {"username": 64, "password": 512, "email": 320, "email_password": 512, "totp": 256, "user_agent": 512,
          "login_method": 16}  # fmt: skip

_USERNAME = re.compile(r"[\w.@+\-]{1,64}")
_KEY: Final = 128
"""Characters of a name without regard to case, at most: some letters are three then."""


@dataclass(frozen=True, repr=False)
class Found(NotPickled):
    """An account as a file gives it. Carries secrets: its repr shows none."""

    line: int
    username: str
    values: Mapping[str, str] = field(default_factory=dict)
    """password, email, email_password, totp, user_agent, login_method: those that the file has."""
    cookies: Mapping[str, str] | None = None
    derived: bool = False
    """True when the file has no username and one was made from the cookies."""
    api: Mapping[str, str] | None = None
    """Tokens of the platform's official API: it is an account of that, and has no cookies."""

    def __repr__(self) -> str:
        return f"Found(line={self.line}, username={self.username!r})"


@dataclass(frozen=True)
class Refused:
    """A line or record that is no account. `reason` never repeats what stood there: it may hold a password."""

    line: int
    reason: str
    username: str = ""


def check(line: int, raw: Mapping[str, str], cookies: Mapping[str, str] | None) -> Found | Refused:
    """Turn a record's fields and cookies (None = the record has no place for any) into an account or a refusal."""
    values = {name: raw[name].strip() for name in LIMITS if raw.get(name, "").strip()}
    if method := values.get("login_method"):
        values["login_method"] = method.upper()
    username = values.pop("username", "").removeprefix("@")
    if username and (not _USERNAME.fullmatch(username) or len(username.casefold()) > _KEY):
        return Refused(line, "The username may hold letters, digits and . _ @ + - only, up to 64 of them.")
    if tokens := tokens_of(raw):
        bad = bad_tokens(tokens, username, login=bool(cookies) or "password" in values) or _bad_value(values)
        agent = {name: value for name, value in values.items() if name in {"email", "user_agent"}}
        return Refused(line, bad, username) if bad else Found(line, username, agent, api=tokens)
    reason = _bad_value(values) or _cannot_log_in(username, values, cookies)
    if reason:
        return Refused(line, reason, username)
    kept = usable(cookies) if cookies is not None else None
    return Found(line, username or derived_username(kept or {}), values, kept, derived=not username)


def _bad_value(values: Mapping[str, str]) -> str:
    for name, value in values.items():
        if len(value) > LIMITS[name]:
            return f"The field {name} is longer than {LIMITS[name]} characters."
        if not printable(value):
            return f"The field {name} holds control characters or broken text."
    if "email" in values and "@" not in values["email"]:
        return "The field email has no @: is the delimiter also part of a password?"
    if values.get("login_method", METHODS[0]) not in METHODS:
        return f"The field login_method has to be {' or '.join(METHODS)}."
    if "totp" in values:
        try:
            read_secret(values["totp"])
        except ValueError as error:
            return f"The field totp: {str(error)[0].lower()}{str(error)[1:]}"
    return ""


def _cannot_log_in(username: str, values: Mapping[str, str], cookies: Mapping[str, str] | None) -> str:
    if cookies is not None:
        return missing(cookies)
    if username and values.get("password"):
        return ""
    return "Needs a username with a password, or the cookies auth_token and ct0."


def derived_username(cookies: Mapping[str, str]) -> str:
    """A stable name for an account that comes without one: its numeric id, or a hash that tells nothing."""
    number = twitter_id(cookies)
    return f"x-{number}" if number else f"x-{hashlib.sha256(cookies['auth_token'].encode()).hexdigest()[:10]}"


def printable(text: str) -> bool:
    """True when the text has no control characters, no lone surrogates and no invisible direction marks."""
    return all(unicodedata.category(c) not in {"Cc", "Cs", "Zl", "Zp"} for c in text)
