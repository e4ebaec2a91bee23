"""JSON: what browser extensions and Playwright export, and lists of account objects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from xget_account.service.importing.cookies import from_json, from_text, parse_json
from xget_account.service.importing.found import FIELDS, Found, Refused, check
from xget_account.service.importing.netscape import Lines
from xget_account.service.importing.tokens import TOKENS, tokens_of

_NOT_JSON = "Begins like JSON but is not valid JSON: export the cookies again, or paste the whole file."


def parse(text: str, lines: Lines) -> Iterator[Found | Refused]:
    """One record per account; `line` is the record's number, or the line's in a file of one object per line."""
    value = parse_json(text)
    if value is not None:
        for number, record in enumerate(_records(value), start=1):
            yield _account(number, record)
    elif len(lines) > 1 and all(line.lstrip()[:1] in {"{", "["} for _, line in lines):
        for number, line in lines:
            record = parse_json(line)
            yield Refused(number, _NOT_JSON) if record is None else _account(number, record)
    else:
        yield Refused(lines[0][0] if lines else 1, _NOT_JSON)


def _records(value: Any) -> list[Any]:
    """A list of cookies is one account; a list of accounts is many."""
    if not isinstance(value, list):
        return [value]
    if any(_is_account(entry) for entry in value):
        return value
    return [value]


def _is_account(entry: Any) -> bool:
    return isinstance(entry, list) or (
        isinstance(entry, dict) and bool({"cookies", "username", "auth_token", *TOKENS} & entry.keys())
    )


def _account(line: int, record: Any) -> Found | Refused:
    if isinstance(record, list):
        return check(line, {}, from_json(record))
    if not isinstance(record, dict):
        return Refused(line, "Is neither a list of cookies nor an object with cookies.")
    fields = {name: record[name] for name in FIELDS if isinstance(record.get(name), str)}
    return check(line, fields, _cookies(record, fields))


def _cookies(record: Mapping[str, Any], fields: Mapping[str, str]) -> dict[str, str] | None:
    """The cookies of an object; None when it is an account that brings a password instead."""
    inner = record.get("cookies")
    if inner is None and tokens_of(fields):
        return None
    if isinstance(inner, str):
        return from_text(inner)
    if isinstance(inner, (list, dict)):
        return from_json(inner)
    if fields.get("password") and "auth_token" not in fields:
        return None
    return from_json({k: v for k, v in record.items() if k not in FIELDS or k in {"auth_token", "ct0"}})
