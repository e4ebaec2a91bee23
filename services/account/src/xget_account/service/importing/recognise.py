"""Decides what kind of file a text is and reads it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from xget_account.service.importing import browser, lines, netscape, table
from xget_account.service.importing.found import Found, Refused, check

_NOTHING = "The file holds no account: it is empty, or has comments only."


@dataclass(frozen=True)
class Reading:
    """What a file holds, in its order: one entry per record, and the format that it was read as."""

    format: str
    records: list[Found | Refused]
    unknown_columns: tuple[str, ...] = ()
    """Of a table: those that nothing is taken from."""


def read(text: str, *, format: str = "auto", line_format: str | None = None, username: str | None = None) -> Reading:
    """Read a file. `username` names the account of a file that holds cookies only.

    Raises BadLineFormat (422) for a bad `line_format`; bad data is in the records.
    """
    text = text.replace("\ufeff", "").replace("\r\n", "\n").replace("\r", "\n")
    layout = lines.LineFormat.parse(line_format) if line_format else None
    numbered = [(n, line) for n, line in enumerate(text.split("\n"), start=1) if line.strip()]
    kind = recognise(text, numbered, has_layout=layout is not None) if format == "auto" else format
    records = _parse(kind, text, numbered, layout)
    unknown = table.unknown_columns(numbered) if kind == "csv" else ()
    return Reading(kind, list(_unique(_named(records, username))) or [Refused(1, _NOTHING)], unknown)


def recognise(text: str, numbered: netscape.Lines, *, has_layout: bool) -> str:
    """cookies-json, netscape, header, twscrape or csv."""
    data = [(n, line) for n, line in numbered if not line.startswith("#")]
    if has_layout:
        return "twscrape"
    if text.lstrip()[:1] in {"[", "{"}:
        return "cookies-json"
    if netscape.looks_like(numbered):
        return "netscape"
    if table.looks_like(data):
        return "csv"
    return "header" if data and lines.is_header(data[0][1]) else "twscrape"


def _parse(
    kind: str, text: str, numbered: netscape.Lines, layout: lines.LineFormat | None
) -> Iterable[Found | Refused]:
    data = [(n, line) for n, line in numbered if not line.startswith("#")]
    match kind:
        case "cookies-json":
            return browser.parse(text, numbered) if numbered else []
        case "netscape":
            return netscape.parse(numbered)
        case "csv":
            return table.parse(text, numbered) if numbered else []
        case _:
            return lines.parse(data, layout)


def _named(records: Iterable[Found | Refused], username: str | None) -> Iterable[Found | Refused]:
    """Give the wished name to an account whose own was only derived."""
    for record in records:
        if username and isinstance(record, Found) and record.derived:
            named = check(record.line, {"username": username}, record.cookies)
            yield replace(record, username=named.username) if isinstance(named, Found) else named
        else:
            yield record


def _unique(records: Iterable[Found | Refused]) -> Iterable[Found | Refused]:
    """The first record of an account stands; later ones are refused, so that none overwrites it unseen."""
    first: dict[tuple[str, bool], int] = {}
    for record in records:
        if isinstance(record, Refused):
            yield record
            continue
        line = first.setdefault((record.username.casefold(), record.api is not None), record.line)
        same = f"Is the same account as line {line}, which was taken."
        yield record if line == record.line else Refused(record.line, same, record.username)
