"""CSV with a header row, delimiter guessed."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from typing import Final

from xget_account.service.importing.found import FIELDS, Found, Refused, check
from xget_account.service.importing.lines import ALIASES, cookies_of
from xget_account.service.importing.netscape import Lines

_COLUMNS = ALIASES | {
    "user": "username",
    "screen_name": "username",
    "pass": "password",
    "mail": "email",
    "e-mail": "email",
    "mail_password": "email_password",
    "2fa": "totp",
    "totp_secret": "totp",
    "useragent": "user_agent",
}
MOST_TOLD: Final = 50
"""Unknown columns that are told."""
_NAME = re.compile(r"[\w .\-]{1,40}")
_DELIMITERS = (",", ";", "\t", "|")
_BROKEN = "Is no valid row of a table: is a quote not closed?"


def looks_like(lines: Lines) -> bool:
    """True when the first line names columns that we know."""
    return bool(lines) and _delimiter(lines[0][1]) is not None


def parse(text: str, lines: Lines) -> Iterator[Found | Refused]:
    """One record per row; columns that we do not know (`unknown_columns`) are left out."""
    number, first = _first(lines)
    delimiter = _delimiter(first)
    if delimiter is None:
        yield Refused(number, "The first line must name the columns: username, password, cookies…")
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
        if not any(cell.strip() for cell in row) or (header is None and row[0].startswith("#")):
            continue
        if header is None:
            header = _columns(row)
        else:
            yield _account(line, header, row)


def unknown_columns(lines: Lines) -> tuple[str, ...]:
    """Columns of the header that nothing is taken from; what does not look like a name is told by its number."""
    _, first = _first(lines)
    delimiter = _delimiter(first)
    if delimiter is None:
        return ()
    try:
        cells = next(csv.reader([first], delimiter=delimiter), [])
    except csv.Error:  # `parse` refuses it
        return ()
    columns = enumerate(zip(_columns(cells), cells, strict=True), start=1)
    unknown = [(number, cell.strip()) for number, (name, cell) in columns if name not in FIELDS]
    return tuple(cell if _NAME.fullmatch(cell) else f"column {number}" for number, cell in unknown[:MOST_TOLD])


def _first(lines: Lines) -> tuple[int, str]:
    """The first line that is no comment."""
    return next(((number, text) for number, text in lines if not text.startswith("#")), (1, ""))


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
