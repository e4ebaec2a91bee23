"""Checks through the sandbox's exits: every kind of proxy, what the other side sees of it, and where that is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from xget_kernel.errors import StartupError
from xget_proxy.adapters.http import HttpProbe
from xget_proxy.adapters.mmdb import GeoBooks
from xget_proxy.service.proxies import fresh
from xget_proxy.service.seeing import Exit, Place, ProbeResult, exit_of, located, seen
from xget_sandbox.app import Options, Sandbox

NOW = datetime(2026, 11, 5, tzinfo=UTC)
ECHO = "http://echo.sandbox.test/"
KINDS = "http,https,socks5,login,anonymous,transparent,rotating,drop,garbage,redirect,hang,407"


@pytest.fixture
async def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Sandbox]:
    options = Options(port=0, posts=0, ca_file=tmp_path / "ca.pem", exits=[KINDS])
    async with Sandbox(options) as sandbox:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        yield sandbox


@pytest.mark.slow
async def test_every_kind_of_exit_is_seen_for_what_it_is(sandbox: Sandbox) -> None:
    probe, hurried = (HttpProbe("https://x.com/robots.txt", seconds, ECHO) for seconds in (30.0, 2.0))
    names = KINDS.split(",")
    asked = ((hurried if name == "hang" else probe)(sandbox.exits.url(name)) for name in names)
    found = dict(zip(names, await asyncio.gather(*asked), strict=True))
    good = {name: result.exit.anonymity for name, result in found.items() if result.ok and result.exit}
    assert good == {
        "http": "elite",
        "https": "elite",
        "socks5": "elite",
        "login": "elite",
        "rotating": "elite",
        "anonymous": "anonymous",
        "transparent": "transparent",
        "drop": "elite",
    }
    reasons = {name: result.reason for name, result in found.items() if not result.ok}
    assert reasons.keys() == {"garbage", "redirect", "hang", "407"}
    assert "another protocol" in reasons["garbage"]
    assert "302" in reasons["redirect"]
    assert reasons["hang"] == "No answer within 2 seconds."
    assert "407" in reasons["407"]
    wrong = await probe(sandbox.exits.url("login").replace("secret", "guess"))
    assert "407" in wrong.reason
    sandbox.exits.set({"down": ["http"]})
    assert not (await probe(sandbox.exits.url("http"))).ok
    plain = HttpProbe("http://x.com/robots.txt", 30.0)
    assert "another site" in (await plain(sandbox.exits.url("redirect"))).reason


def test_a_gateway_that_rotates_is_known_and_not_punished() -> None:
    proxy = fresh("ada", ("http", "9.9.9.9", 80, ""), NOW)
    announced = []
    for number in (1, 1, 2, 3, 4, 4):
        announced.append(seen(proxy, ProbeResult(True, 50.0, "", Exit(f"203.0.113.{number}", "elite")), NOW))
    assert announced == [None, None, "203.0.113.1", None, None, None]
    assert (proxy.rotating, proxy.exit_ip, proxy.success_rate, proxy.failures) == (True, "203.0.113.4", 1.0, 0)
    assert [entry["ip"][-1] for entry in proxy.exits or []] == ["1", "2", "3", "4"]
    for _ in range(40):
        seen(proxy, ProbeResult(False, None, "broken"), NOW)
    assert proxy.latencies == [None] * 32


@pytest.mark.parametrize(
    ("told", "own", "expected"),
    [
        ({"origin": "9.9.9.9"}, None, Exit("9.9.9.9", None)),
        ({"ip": "9.9.9.9", "headers": {}}, None, Exit("9.9.9.9", "elite")),
        ({"ip": "9.9.9.9", "headers": {"Via": "1.1 squid"}}, "8.8.8.8", Exit("9.9.9.9", "anonymous")),
        ({"ip": "9.9.9.9", "headers": {"X-Forwarded-For": "9.9.9.9"}}, None, Exit("9.9.9.9", "anonymous")),
        ({"ip": "9.9.9.9", "headers": {"X-Anything": "8.8.8.8"}}, "8.8.8.8", Exit("9.9.9.9", "transparent")),
        ({"ip": "8.8.8.8", "headers": {}}, "8.8.8.8", Exit("8.8.8.8", "transparent")),
        ({"ip": "9.9.9.9", "headers": {"Forwarded": 'for="[2001:db8::1]:80"'}}, None, Exit("9.9.9.9", "transparent")),
        ({"ip": ["9.9.9.9"]}, None, None),
        ({"error": "busy"}, None, None),
    ],
)
def test_anonymity_is_what_the_other_side_is_told(told: dict[str, Any], own: str | None, expected: Exit | None) -> None:
    assert exit_of(told, own) == expected


def book(path: Path, kind: str, **record: Any) -> Path:
    writer = MMDBWriter(ip_version=6, ipv4_compatible=True, database_type=kind)
    writer.insert_network(IPSet([str(ip_network("203.0.113.0/24"))]), record)
    fresh_file = path.with_suffix(".new")
    writer.to_db_file(str(fresh_file))
    fresh_file.replace(path)
    return path


def test_an_operators_files_tell_where_an_exit_is_and_are_read_anew(tmp_path: Path) -> None:
    city = {"country": {"iso_code": "DE"}, "city": {"names": {"en": "Bonn"}}}
    where = book(tmp_path / "city.mmdb", "GeoLite2-City", **city)
    whose = book(tmp_path / "asn.mmdb", "GeoLite2-ASN", autonomous_system_organization="Example Net")
    places = GeoBooks(f"{where}, {whose}", look_seconds=0)
    assert places("203.0.113.9") == Place("DE", "Bonn", "Example Net")
    assert places("8.8.8.8") == places("nonsense") == Place()
    book(where, "GeoLite2-City", country={"iso_code": "FR"})
    assert places("203.0.113.9") == Place("FR", None, "Example Net")
    where.write_bytes(b"damaged")
    assert places("203.0.113.9").country == "FR"
    assert "damaged" in places.trouble
    book(where, "GeoLite2-City", country={"iso_code": "IT"})
    assert places("203.0.113.9").country == "IT"
    assert places.trouble == ""
    places.close()


def test_what_a_person_said_of_a_place_stays() -> None:
    said, unsaid = (fresh("ada", ("http", f"9.9.9.{n}", 80, ""), NOW) for n in (1, 2))
    said.country = "CH"
    for country in ("DE", "FR"):
        located(said, Place(country, "Bonn"))
        located(unsaid, Place(country, "Bonn"))
    assert (said.country, said.city) == ("CH", None)
    assert (unsaid.country, unsaid.city) == ("FR", "Bonn")


@pytest.mark.parametrize(
    ("kind", "words"), [("other", "another kind"), ("damaged", "damaged"), ("missing", "cannot be")]
)
def test_a_file_that_cannot_tell_places_is_one_clear_line(tmp_path: Path, kind: str, words: str) -> None:
    path = tmp_path / "db.mmdb"
    if kind == "other":
        book(path, "GeoIP2-Anonymous-IP", is_tor=True)
    elif kind == "damaged":
        path.write_bytes(b"\x00" * 500)
    with pytest.raises(StartupError, match=words) as caught:
        GeoBooks(str(path))
    assert "XGET_GEOIP_DB" in str(caught.value)
    assert "\n" not in str(caught.value)
