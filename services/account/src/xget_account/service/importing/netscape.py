"""Netscape `cookies.txt`: seven fields a line, one file (or one `# Netscape` header) per account."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from xget_account.service.importing.cookies import of_hosts
from xget_account.service.importing.found import Found, Refused, check

Lines = Sequence[tuple[int, str]]

_HTTP_ONLY = "#HttpOnly_"
_FLAGS = {"TRUE", "FALSE"}


def looks_like(lines: Lines) -> bool:
    """True for the header comment of such a file, or when the first data line is a cookie."""
    if any(_is_header(text) for _, text in lines[:5]):
        return True
    data = [text for _, text in lines if not _is_comment(text)]
    return bool(data) and _cookie(data[0]) is not None


def parse(lines: Lines) -> Iterator[Found | Refused]:
    """One record per part of the file; cookies of other sites are left out, malformed lines are refused."""
    start, part = 0, list[tuple[str, str, str]]()
    for number, text in lines:
        if _is_header(text):
            if part:
                yield check(start, {}, of_hosts(part))
            start, part = 0, []
        elif not _is_comment(text):
            cookie = _cookie(text)
            if cookie is None:
                yield Refused(number, "Is no line of cookies.txt: it needs seven fields with tabs between them.")
                continue
            start = start or number
            part.append(cookie)
    if part:
        yield check(start, {}, of_hosts(part))


def _is_header(text: str) -> bool:
    return text.startswith("#") and "HTTP Cookie File" in text


def _is_comment(text: str) -> bool:
    return text.startswith("#") and not text.startswith(_HTTP_ONLY)


def _cookie(text: str) -> tuple[str, str, str] | None:
    """(domain, name, value); tabs that became spaces on the way are accepted."""
    fields = text.removeprefix(_HTTP_ONLY).split("\t")
    if len(fields) != 7:
        fields = text.removeprefix(_HTTP_ONLY).split()
    if len(fields) != 7 or fields[1].upper() not in _FLAGS or fields[3].upper() not in _FLAGS:
        return None
    return fields[0], fields[5].strip(), fields[6].strip()
