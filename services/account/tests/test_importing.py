"""Account files of every known shape are read; what is refused says why and shows no secret."""

from __future__ import annotations

import base64
import json

import pytest

from xget_account.errors import BadLineFormat
from xget_account.service.importing import Found, Refused, read

COOKIES = {"auth_token": "a" * 40, "ct0": "c" * 64, "guest_id": "v1%3A17", "twid": "u%3D44196397"}
HEADER = "; ".join(f"{k}={v}" for k, v in COOKIES.items())
BARE = "auth_token=" + "a" * 40 + "; ct0=" + "c" * 64


def browser_export(**change: str) -> list[dict[str, object]]:
    return [{"name": k, "value": v, "domain": ".x.com", "secure": True} for k, v in (COOKIES | change).items()]


def only(text: str, **options: str) -> Found:
    reading = read(text, **options)
    assert len(reading.records) == 1, reading.records
    record = reading.records[0]
    assert isinstance(record, Found), record
    return record


def refusal(text: str, **options: str) -> Refused:
    record = read(text, **options).records[0]
    assert isinstance(record, Refused), record
    return record


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (json.dumps(browser_export()), "cookies-json"),
        (json.dumps(browser_export(), indent=4).replace("\n", "\r\n"), "cookies-json"),
        (json.dumps(COOKIES), "cookies-json"),
        (json.dumps({"cookies": browser_export(), "origins": []}), "cookies-json"),
        (json.dumps({"url": "https://x.com", "cookies": browser_export()}), "cookies-json"),
        (HEADER, "header"),
        ("Cookie: " + HEADER, "header"),
        ("\ufeff" + HEADER + "\r\n", "header"),
        ("\n".join(HEADER.split("; ")), "header"),
        (
            "# Netscape HTTP Cookie File\n"
            + "\n".join(f"#HttpOnly_.x.com\tTRUE\t/\tTRUE\t1999999999\t{k}\t{v}" for k, v in COOKIES.items()),
            "netscape",
        ),
        ("\r\n".join(f".x.com TRUE / TRUE 1999999999 {k} {v}" for k, v in COOKIES.items()), "netscape"),
    ],
)
def test_cookies_of_one_account_are_recognised_and_named_by_their_id(text: str, kind: str) -> None:
    found = only(text)
    assert read(text).format == kind
    assert found.username == "x-44196397"
    assert found.cookies is not None
    assert found.cookies["auth_token"] == COOKIES["auth_token"]
    assert found.cookies["ct0"] == COOKIES["ct0"]


def test_cookies_without_an_id_get_a_stable_name_that_is_not_the_secret() -> None:
    name = only(BARE).username
    assert name == only("Cookie: " + BARE).username
    assert name.startswith("x-")
    assert "aaaa" not in name


def test_the_username_given_with_the_file_names_its_account() -> None:
    assert only(HEADER, username="elon").username == "elon"
    assert "letters" in refusal(HEADER, username="e\u0000lon").reason


def test_cookies_of_other_sites_are_left_out_and_x_wins_over_twitter() -> None:
    mixed = [
        {"name": "auth_token", "value": "good", "domain": ".x.com"},
        {"name": "auth_token", "value": "old", "domain": ".twitter.com"},
        {"name": "ct0", "value": "c0", "domain": "x.com"},
        {"name": "SID", "value": "private", "domain": ".google.com"},
        {"name": "ct0", "value": "phish", "domain": "evilx.com"},
    ]
    assert only(json.dumps(mixed)).cookies == {"auth_token": "good", "ct0": "c0"}


def test_twscrape_lines_are_read_by_their_usual_order() -> None:
    found = only("neo:pa55:neo@mail.org:mailpass")
    assert (found.username, found.cookies) == ("neo", None)
    assert found.values == {"password": "pa55", "email": "neo@mail.org", "email_password": "mailpass"}


@pytest.mark.parametrize("delimiter", [":", "|", "\t", ";", ","])
def test_the_delimiter_is_guessed(delimiter: str) -> None:
    found = only(delimiter.join(["neo", "pa55", "neo@mail.org", "mailpass"]))
    assert found.values["email_password"] == "mailpass"


@pytest.mark.parametrize(
    "cookies",
    [BARE, json.dumps(COOKIES), json.dumps(browser_export()), base64.b64encode(json.dumps(COOKIES).encode()).decode()],
)
def test_a_cookie_field_may_be_header_json_or_base64(cookies: str) -> None:
    line = "neo:pa55:neo@mail.org:mailpass:skipped:" + cookies
    for options in ({}, {"line_format": "username:password:email:email_password:_:cookies"}):
        found = only(line, **options)
        assert found.username == "neo"
        assert found.cookies is not None
        assert found.cookies["ct0"] == COOKIES["ct0"]


def test_a_format_may_name_the_two_cookies_and_totp() -> None:
    found = only("neo|p|AAAA|BBBB|JBSWY3DPEHPK3PXP", line_format="username|password|auth_token|ct0|mfa_code")
    assert found.cookies == {"auth_token": "AAAA", "ct0": "BBBB"}
    assert found.values["totp"] == "JBSWY3DPEHPK3PXP"


@pytest.mark.parametrize(
    "bad",
    ["username:secret_sauce", "_:_", "username:username:password", "username:password|email", ":username", "%"],
)
def test_a_bad_format_is_refused_as_a_field(bad: str) -> None:
    with pytest.raises(BadLineFormat) as caught:
        read("a:b", line_format=bad)
    assert caught.value.errors[0].field == "line_format"


def test_csv_is_read_with_quotes_and_other_column_names() -> None:
    text = (
        'Login,Pass,Mail,cookies,note\nneo,"p,1",neo@mail.org,"' + BARE + '",x\ntrin,p2,trin@mail.org,,\n,,,,\nbad,,,,'
    )
    reading = read(text)
    assert reading.format == "csv"
    neo, trin, bad = reading.records
    assert isinstance(neo, Found)
    assert isinstance(trin, Found)
    assert neo.values["password"] == "p,1"
    assert neo.cookies is not None
    assert (trin.line, trin.cookies) == (3, None)
    assert isinstance(bad, Refused)
    assert bad.line == 5


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("username,password\nneo,p", ()),
        ("# made by me\nusername;pass;Phone No.;;_id\nneo;p;1;2;3", ("Phone No.", "column 4", "_id")),
        ('"username","password","a,b","' + "x" * 41 + '"\nneo,p,1,2', ("column 3", "column 4")),
        ("username,password," + ",".join(f"c{n}" for n in range(99)), tuple(f"c{n}" for n in range(50))),
        ("neo:p:neo@m.org:x", ()),
    ],
)
def test_columns_that_are_not_taken_are_told_by_name_and_nothing_else(text: str, unknown: tuple[str, ...]) -> None:
    reading = read(text)
    assert reading.unknown_columns == unknown
    assert all(isinstance(record, Found) for record in reading.records) or "\n" not in text


def test_each_refused_line_says_why_with_its_number() -> None:
    text = "\n".join(
        ["neo:p:neo@m.org:x", "", "# a comment", "only-a-name", "auth_token=abc", "NEO:p:neo@m.org:x", "a:b:no-mail:d"]
    )
    reading = read(text)
    reasons = {r.line: r.reason for r in reading.records if isinstance(r, Refused)}
    assert set(reasons) == {4, 5, 6, 7}
    assert "ct0" in reasons[5]
    assert "line 1" in reasons[6]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("auth_token=abc; lang=en", "ct0"),
        (json.dumps([{"name": "SID", "value": "1", "domain": ".google.com"}]), "auth_token and ct0"),
        ("[{", "JSON"),
        ("[" * 100_000, "JSON"),
        ("42", "shapes"),
        ("", "no account"),
        ("neo:p\x07w:neo@m.org:x", "control"),
        (json.dumps({"username": "n\ud800", "password": "p"}), "letters"),
        (json.dumps({"username": "n", "password": "p\ud800"}), "broken"),
        (json.dumps({"auth_token": "a b", "ct0": "c"}), "characters"),
        ("username,password\n" + "n" * 65 + ",p", "username"),
        ("username,password\n" + "\u0390" * 64 + ",p", "username"),  # 192 letters without regard to case
        ("username,password," + "n" * 200_000 + "\nneo,p,x", "valid row"),
    ],
)
def test_bad_input_is_a_sentence(text: str, hint: str) -> None:
    assert hint in refusal(text).reason


def test_json_lists_of_accounts_and_lines_of_objects_are_many_records() -> None:
    accounts = [{"username": "a", "cookies": COOKIES}, {"username": "b", "password": "p"}, 7]
    assert [type(r) for r in read(json.dumps(accounts)).records] == [Found, Found, Refused]
    lines = "\n".join(json.dumps(a) for a in accounts[:2])
    assert [r.line for r in read(lines).records if isinstance(r, Found)] == [1, 2]


def test_ten_thousand_lines_are_read() -> None:
    text = "\r\n".join(f"user{i}:p:u{i}@m.org:x" for i in range(10_000))
    assert sum(isinstance(r, Found) for r in read(text).records) == 10_000


def test_no_repr_shows_a_secret() -> None:
    shown = repr(only("neo:pa55word:neo@mail.org:mailpass:" + BARE))
    assert "pa55word" not in shown
    assert "aaaa" not in shown
