"""CSV with a header row, delimiter guessed."""

from __future__ import annotations

import csv
from collections.abc import Iterator

from xget_account.service.importing.found import FIELDS, Found, Refused, check
from xget_account.service.importing.lines import ALIASES, cookies_of
from xget_account.service.importing.netscape import Lines

_COLUMNS = ALIASES | {
    "user": "username",
    "screen_name": "username",
    "pass": "password",
    "mail": "email",
    "mail_password": "email_password",
    "2fa": "totp",
    "totp_secret": "totp",
    "useragent": "user_agent",
}
_DELIMITERS = (",", ";", "\t", "|")
_BROKEN = "Is no valid row of a table: is a quote not closed?"


def looks_like(lines: Lines) -> bool:
    """True when the first line names columns that we know."""
    return bool(lines) and _delimiter(lines[0][1]) is not None


def parse(text: str, lines: Lines) -> Iterator[Found | Refused]:
    """One record per row; columns that we do not know are left out."""
    delimiter = _delimiter(lines[0][1]) if lines else None
    if delimiter is None:
        yield Refused(lines[0][0] if lines else 1, "The first line must name the columns: username, password, cookies…")
        return
    reader = csv.reader(text.split("\n"), delimiter=delimiter, strict=True)
    header: list[str] | None = None
    while True:
        line = reader.line_num + 1
        try:
            row = next(reader, None)
        except csv.Error:
            yield Refused(line, _BROKEN)
            continue
        if row is None:
            return
        if not any(cell.strip() for cell in row):
            continue
        if header is None:
            header = _columns(row)
        else:
            yield _account(line, header, row)


def _account(line: int, header: list[str], row: list[str]) -> Found | Refused:
    if len(row) > len(header):
        return Refused(line, f"Has {len(row)} cells, the header has {len(header)}.")
    fields = {name: cell for name, cell in zip(header, row, strict=False) if name in FIELDS}
    return check(line, fields, cookies_of(fields))


def _columns(row: list[str]) -> list[str]:
    names = [cell.strip().strip('"').lower().replace(" ", "_") for cell in row]
    return [_COLUMNS.get(name, name) for name in names]


def _delimiter(first: str) -> str | None:
    for delimiter in _DELIMITERS:
        names = _columns(first.split(delimiter))
        if len(names) > 1 and {"username", "cookies", "auth_token"} & set(names) and len({*FIELDS} & set(names)) > 1:
            return delimiter
    return None
