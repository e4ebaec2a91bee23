"""One account a line: `username:password:email:email_password[:…]`, or a cookie header."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from xget_account.errors import BadLineFormat
from xget_account.service.importing.cookies import REQUIRED, from_header, from_text
from xget_account.service.importing.found import FIELDS, Found, Refused, check
from xget_account.service.importing.netscape import Lines
from xget_account.service.importing.tokens import BEARER

ALIASES = {"mfa_code": "totp", "email_pass": "email_password", "login": "username", "cookie": "cookies"}

_USUAL = ("username", "password", "email", "email_password")
_DELIMITERS = (":", "|", "\t", ";", ",")
_PAIR = re.compile(r"\s*[A-Za-z0-9_\-]+=[^;\s]*;?\s*")
_HEADER = re.compile(r"\s*(cookie\s*:)?\s*[A-Za-z0-9_\-]+=", re.IGNORECASE)
_UNKNOWN = (
    "Is none of the shapes that are known: cookies, username:password:email:email_password, name:bearer token, CSV."
)


@dataclass(frozen=True)
class LineFormat:
    """Which field stands where; `_` is skipped."""

    fields: tuple[str, ...]
    delimiter: str

    @classmethod
    def parse(cls, text: str) -> LineFormat:
        """From `username:password:_:cookies`. Raises BadLineFormat (422)."""
        words = re.findall(r"\w+", text.strip())
        between = re.split(r"\w+", text.strip())
        names = [ALIASES.get(name, name) for name in words]
        real = [name for name in names if name != "_"]
        if set(real) - set(FIELDS):
            raise BadLineFormat(f"The line format names an unknown field; known: {', '.join(FIELDS)}, _ skips one.")
        if not {"username", "cookies", "auth_token"} & set(real) or len(set(real)) != len(real):
            raise BadLineFormat("The line format needs username or cookies, and each field once.")
        if between[0] or between[-1] or len(set(between[1:-1])) > 1:
            raise BadLineFormat("The line format needs one and the same delimiter between its fields.")
        return cls(tuple(names), between[1] if len(names) > 1 else ":")


def parse(lines: Lines, layout: LineFormat | None) -> Iterator[Found | Refused]:
    """Each line is a record; without a format its shape is guessed."""
    if layout is None and len(lines) > 1 and all(_PAIR.fullmatch(text) for _, text in lines):
        joined = from_header(";".join(text for _, text in lines))
        if sum(text.lstrip().startswith("auth_token=") for _, text in lines) == 1:
            yield check(lines[0][0], {}, joined)
            return
    for number, text in lines:
        if layout is not None:
            yield _by_format(number, text, layout)
        elif _HEADER.match(text):
            yield check(number, {}, from_header(text))
        else:
            yield _guessed(number, text)


def is_header(text: str) -> bool:
    """True for `name=value; …`, which no username starts."""
    return bool(_HEADER.match(text))


def _by_format(number: int, text: str, layout: LineFormat) -> Found | Refused:
    last = layout.fields[-1] == "cookies"
    parts = text.split(layout.delimiter, len(layout.fields) - 1 if last else -1)
    if len(parts) < len(layout.fields):
        return Refused(number, f"Has {len(parts)} fields, the format has {len(layout.fields)}.")
    fields = {name: part for name, part in zip(layout.fields, parts, strict=False) if name != "_"}
    return check(number, fields, cookies_of(fields))


def cookies_of(fields: Mapping[str, str]) -> dict[str, str] | None:
    """From the field `cookies` and the single ones; None when the record brings none at all."""
    found = from_text(fields["cookies"]) if fields.get("cookies", "").strip() else {}
    found |= {name: fields[name].strip() for name in REQUIRED if fields.get(name, "").strip()}
    return found if found or fields.get("cookies", "").strip() else None


def _guessed(number: int, text: str) -> Found | Refused:
    for delimiter in _DELIMITERS:
        parts = text.split(delimiter)
        if len(parts) == 2 and parts[1].strip().startswith(BEARER):
            return check(number, {"username": parts[0], "bearer_token": parts[1]}, None)
        if len(parts) >= len(_USUAL) and "@" in parts[2]:
            fields = dict(zip(_USUAL, parts, strict=False))
            return check(number, fields, _cookies_behind(parts, delimiter))
    return Refused(number, _UNKNOWN)


def _cookies_behind(parts: list[str], delimiter: str) -> dict[str, str] | None:
    """Cookies among the fields after the usual four, which may hold the delimiter themselves."""
    tails = [from_text(delimiter.join(parts[start:])) for start in range(len(_USUAL), min(len(parts), 24))]
    some = [found for found in tails if any(name in found for name in REQUIRED)]
    return max(some, key=lambda found: sum(name in found for name in REQUIRED), default=None)
