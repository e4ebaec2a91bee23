"""Lists of proxies in every known shape are read; nothing crashes and no line disappears."""

from __future__ import annotations

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xget_proxy.service.reading import Found, Refused, address, read


def only(text: str, **options: str) -> Found:
    (record,) = read(text, **options)
    assert isinstance(record, Found), record
    return record


@pytest.mark.parametrize(
    ("line", "shown", "login"),
    [
        ("http://10.0.0.1:8080", "http://10.0.0.1:8080", ("", "")),
        ("SOCKS5://Proxy.Example.org:1080/", "socks5://proxy.example.org:1080", ("", "")),
        ("socks5h://u:p@10.0.0.1:1", "socks5://10.0.0.1:1", ("u", "p")),
        ("https://us%40er:p%3Aa@h.org:443", "https://h.org:443", ("us@er", "p:a")),
        ("http://user:p@ss@h.org:1", "http://h.org:1", ("user", "p@ss")),
        ("http://[2001:db8::1]:3128", "http://[2001:db8::1]:3128", ("", "")),
        ("10.0.0.1:8080", "http://10.0.0.1:8080", ("", "")),
        ("10.0.0.1:8080:user:p:a:ss", "http://10.0.0.1:8080", ("user", "p:a:ss")),
        ("[2001:DB8::1]:3128:u:p", "http://[2001:db8::1]:3128", ("u", "p")),
        ("user:pass@10.0.0.1:8080", "http://10.0.0.1:8080", ("user", "pass")),
    ],
)
def test_each_shape_of_a_line_is_read(line: str, shown: str, login: tuple[str, str]) -> None:
    found = only("\ufeff" + line + "\r\n")
    assert (address(found.type, found.ip, found.port), (found.username, found.password)) == (shown, login)


def test_lines_without_a_scheme_take_the_one_that_is_given() -> None:
    assert only("10.0.0.1:1080", type="socks5", country="DE").type == "socks5"
    assert only("u:p@10.0.0.1:1080", type="socks5", country="DE").country == "DE"


def test_csv_with_a_header_is_read() -> None:
    text = (
        'Host,Port,User,Pass,Type,Country\n10.0.0.1,80,u,"p,1",socks5,us\n\nh.org,81,,,,\nbad,x,,,,\n1.1.1.1,1,,,,,,,'
    )
    one, two, bad, wide = read(text)
    assert isinstance(one, Found)
    assert isinstance(two, Found)
    assert (one.password, one.type, one.country, one.line) == ("p,1", "socks5", "US", 2)
    assert (two.type, two.line) == ("http", 4)
    assert isinstance(bad, Refused)
    assert isinstance(wide, Refused)


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("ftp://10.0.0.1:21", "scheme"),
        ("http://10.0.0.1", "port"),
        ("http://10.0.0.1:99999", "Write"),
        ("10.0.0.1:0", "port"),
        ("10.0.0.1:٣", "port"),
        ("10.0.0.300:80", "host"),
        ("2001:db8::1:80", "Write"),
        ("http://h.org:80/path", "Write"),
        ("http://exämple.org:80", "host"),
        ("h.org:80:u\x00:p", "username"),
        ("http://:secret@h.org:80", "needs a username"),
        ("nonsense", "Write"),
        ("", "no proxy"),
    ],
)
def test_bad_lines_are_refused_without_repeating_a_password(line: str, hint: str) -> None:
    (record,) = read(line)
    assert isinstance(record, Refused)
    assert hint in record.reason
    assert "secret" not in record.reason


def test_no_repr_shows_a_password() -> None:
    assert "hunter2" not in repr(only("http://u:hunter2@h.org:80"))


pieces = st.sampled_from(
    ["http://", "socks5://", "@", ":", "[", "]", "10.0.0.1", "h.org", "80", ",", "ip,port", "\n", "%zz"]
)
texts = st.one_of(st.text(), st.lists(st.one_of(pieces, st.text(max_size=5)), max_size=30).map("".join))


@settings(deadline=None)
@given(texts, st.sampled_from(["http", "socks5"]))
def test_nothing_crashes(text: str, type: str) -> None:
    for record in read(text, type=type):
        if isinstance(record, Found):
            (record.ip + record.username + record.password).encode()
            assert 1 <= record.port <= 65_535


@settings(deadline=None)
@given(st.lists(st.text(string.ascii_letters + string.digits + ":@/[].%", min_size=1), min_size=1, max_size=8))
def test_each_line_is_taken_or_refused(lines: list[str]) -> None:
    assert [record.line for record in read("\n".join(lines))] == list(range(1, len(lines) + 1))
