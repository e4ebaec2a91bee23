"""Reads lists of proxies: URLs, host:port:user:pass, CSV. Pure; bad lines are refused with a reason."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from xget_proxy.schemas import host_or_none

SCHEMES = {"http": "http", "https": "https", "socks5": "socks5", "socks5h": "socks5"}

_COLUMNS = {"host": "ip", "address": "ip", "server": "ip", "user": "username", "pass": "password", "scheme": "type"}
_KNOWN = ("type", "ip", "port", "username", "password", "country", "city", "isp")
_LIMITS = {"username": 255, "password": 255, "country": 2, "city": 100, "isp": 100}
_SHAPES = "Write scheme://user:pass@host:port, host:port:user:pass or host:port, an IPv6 address in brackets."


@dataclass(frozen=True, repr=False)
class Found:
    """A proxy as a list gives it. Carries a password: its repr does not show it."""

    line: int
    type: str
    ip: str
    port: int
    username: str = ""
    password: str = ""
    country: str | None = None
    city: str | None = None
    isp: str | None = None

    @property
    def key(self) -> tuple[str, str, int, str]:
        """What makes it the same proxy as another."""
        return self.type, self.ip, self.port, self.username

    def __repr__(self) -> str:
        return f"Found({self.line}, {address(self.type, self.ip, self.port)})"


@dataclass(frozen=True)
class Refused:
    """A line that is no proxy. `reason` never repeats the line: it may hold a password."""

    line: int
    reason: str


def read(text: str, *, type: str = "http", country: str | None = None) -> list[Found | Refused]:
    """The proxies of a text, in its order. `type` and `country` are for lines that do not say."""
    text = text.replace("\ufeff", "").replace("\r\n", "\n").replace("\r", "\n")
    numbered = [(n, line.strip()) for n, line in enumerate(text.split("\n"), start=1)]
    lines = [(n, line) for n, line in numbered if line and not line.startswith("#")]
    defaults = {"type": type, "country": country or ""}
    delimiter = _table_delimiter(lines[0][1]) if lines else None
    if delimiter is not None:
        return list(_table(lines, delimiter, defaults))
    return [_line(number, line, defaults) for number, line in lines] or [Refused(1, "The list holds no proxy.")]


def address(type: str, ip: str, port: int) -> str:
    """`scheme://host:port` without a login."""
    return f"{type}://[{ip}]:{port}" if ":" in ip else f"{type}://{ip}:{port}"


def _line(number: int, line: str, defaults: dict[str, str]) -> Found | Refused:
    fields = _url(line, defaults["type"]) if "://" in line or "@" in line else _colons(line)
    return Refused(number, _SHAPES) if fields is None else _checked(number, defaults | fields)


def _url(line: str, scheme: str) -> dict[str, str] | None:
    whole = line if "://" in line else f"{scheme}://{line}"
    login, _, place = whole.partition("://")[2].rpartition("@")
    try:
        parts = urlsplit(f"{whole.partition('://')[0]}://{place}")
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if not host or parts.path.strip("/") or parts.query:
        return None
    username, _, password = login.partition(":")
    fields = {"type": parts.scheme, "ip": host, "port": str(port or "")}
    return fields | {"username": unquote(username), "password": unquote(password)}


def _colons(line: str) -> dict[str, str] | None:
    if line.startswith("["):
        host, closed, rest = line[1:].partition("]:")
        parts = [host, *rest.split(":", 2)] if closed else []
    else:
        parts = line.split(":", 3)
    if len(parts) not in {2, 4}:
        return None
    return dict(zip(("ip", "port", "username", "password"), parts, strict=False))


def _table(lines: list[tuple[int, str]], delimiter: str, defaults: dict[str, str]) -> Iterator[Found | Refused]:
    header = _columns(lines[0][1], delimiter)
    for number, line in lines[1:]:
        try:
            row = next(csv.reader([line], delimiter=delimiter, strict=True), [])
        except csv.Error:
            yield Refused(number, "Is no valid row of a table: is a quote not closed?")
            continue
        if len(row) > len(header):
            yield Refused(number, f"Has {len(row)} cells, the header has {len(header)}.")
            continue
        cells = {name: cell.strip() for name, cell in zip(header, row, strict=False) if name in _KNOWN and cell.strip()}
        yield _checked(number, defaults | cells)


def _columns(line: str, delimiter: str) -> list[str]:
    names = [name.strip().strip('"').lower() for name in line.split(delimiter)]
    return [_COLUMNS.get(name, name) for name in names]


def _table_delimiter(first: str) -> str | None:
    return next((d for d in ",;\t|" if {"ip", "port"} <= set(_columns(first, d))), None)


def _checked(number: int, fields: dict[str, str]) -> Found | Refused:
    type_ = SCHEMES.get(fields["type"].lower())
    ip = host_or_none(fields.get("ip", ""))
    port = fields.get("port", "").strip()
    reason = _bad(fields)
    if type_ is None:
        reason = f"The scheme must be one of {', '.join(sorted(set(SCHEMES.values())))}."
    elif ip is None:
        reason = f"The host is neither an address nor a name. {_SHAPES}"
    elif not (port.isascii() and port.isdigit() and len(port) <= 5 and 1 <= int(port) <= 65_535):
        reason = "The port must be a number from 1 to 65535."
    if reason or type_ is None or ip is None:
        return Refused(number, reason)
    country = fields.get("country", "").upper() or None
    more = {name: fields.get(name) or None for name in ("city", "isp")}
    return Found(
        number, type_, ip, int(port), fields.get("username", ""), fields.get("password", ""), country=country, **more
    )


def _bad(fields: dict[str, str]) -> str:
    for name, longest in _LIMITS.items():
        value = fields.get(name, "")
        if len(value) > longest or not all(c.isprintable() for c in value):
            return f"The {name} is longer than {longest} characters or holds characters that cannot be shown."
    country = fields.get("country", "")
    if country and not (len(country) == 2 and country.isascii() and country.isalpha()):
        return "The country must be two letters (ISO 3166-1)."
    return "The password needs a username." if fields.get("password") and not fields.get("username") else ""
