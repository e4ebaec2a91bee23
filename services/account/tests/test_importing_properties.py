"""Whatever stands in a file: nothing crashes, and no line disappears."""

from __future__ import annotations

import json
import string

from hypothesis import given, settings
from hypothesis import strategies as st

from xget_account.errors import BadLineFormat
from xget_account.service.importing import Found, Refused, read

FORMATS = ["auto", "cookies-json", "netscape", "header", "twscrape", "csv"]

JSON_BITS = ["{", "}", "[", "]", '"', "username", "cookies"]
COOKIE_BITS = ["auth_token=", "ct0=", "; ", "u%3D1", "# Netscape HTTP Cookie File", "#HttpOnly_.x.com", "TRUE"]
ODD_BITS = [":", "|", "\t", ",", "a@b.c", "\r\n", "\n", "\ufeff", "\x00", "\ud800", " ", "é"]

pieces = st.sampled_from([*JSON_BITS, *COOKIE_BITS, *ODD_BITS])
texts = st.one_of(st.text(), st.lists(st.one_of(pieces, st.text(max_size=6)), max_size=60).map("".join))
line = st.text(string.ascii_letters + string.digits + ":|;=@.\"'{}[] _-", min_size=1).filter(
    lambda t: bool(t.strip()) and t.lstrip()[0] not in "#{["
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["name", "value", "domain", "cookies", "username", "auth_token", "ct0"]), inner, max_size=5
        )
    ),
    max_leaves=20,
)


@settings(deadline=None)
@given(texts, st.sampled_from(FORMATS), st.none() | st.text(max_size=30), st.none() | st.text(max_size=10))
def test_nothing_crashes(text: str, kind: str, line_format: str | None, username: str | None) -> None:
    try:
        reading = read(text, format=kind, line_format=line_format, username=username)
    except BadLineFormat:
        return
    assert reading.records
    for record in reading.records:
        if isinstance(record, Found):
            record.username.encode()
            json.dumps(dict(record.cookies or {}), ensure_ascii=False).encode()
            "".join(record.values.values()).encode()
            assert not record.cookies or {"auth_token", "ct0"} <= record.cookies.keys()
        else:
            assert record.reason
            record.username.encode("utf-8", "surrogatepass")


@settings(deadline=None)
@given(st.lists(line, min_size=1, max_size=8))
def test_each_line_is_either_taken_or_refused(lines: list[str]) -> None:
    reading = read("\n".join(lines), format="twscrape", line_format="username:password:email")
    assert [r.line for r in reading.records] == list(range(1, len(lines) + 1))


@settings(deadline=None)
@given(st.lists(line, min_size=1, max_size=8))
def test_each_guessed_line_is_either_taken_or_refused(lines: list[str]) -> None:
    reading = read("\n".join(lines), format="twscrape")
    assert len(reading.records) == len(lines) or all("=" in text for text in lines)


@settings(deadline=None)
@given(values)
def test_any_json_value_is_taken_or_refused(value: object) -> None:
    for record in read(json.dumps(value), format="cookies-json").records:
        assert isinstance(record, (Found, Refused))
