"""HTTP/1.1 as far as a forward proxy needs it: reading requests, writing answers."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import parse_qs, unquote_plus

import orjson

BODY_LIMIT = 1_000_000
HEAD_LIMIT = 256_000


class BadRequest(Exception):
    """Bytes that are no HTTP request; the connection is closed after a 400."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request. `host` is without port; header names are lower-case; `query` is still encoded."""

    method: str
    host: str
    path: str
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    def cookies(self) -> dict[str, str]:
        """Cookies by name."""
        pairs = (part.strip().partition("=") for part in self.headers.get("cookie", "").split(";"))
        return {name: value for name, sign, value in pairs if sign}

    def parameters(self) -> dict[str, str]:
        """Query parameters, the last of each name."""
        return {name: values[-1] for name, values in parse_qs(self.query, keep_blank_values=True).items()}

    def parameter(self, name: str) -> str | None:
        """One query parameter, without decoding the others (GraphQL's features are long)."""
        for part in self.query.split("&"):
            key, _, value = part.partition("=")
            if key == name:
                return unquote_plus(value)
        return None


@dataclass(frozen=True, slots=True)
class Response:
    """One answer. `drop` breaks the connection in the middle of the body; `seconds` spreads the body over a time."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)
    drop: bool = False
    seconds: float = 0.0
    cookies: tuple[str, ...] = ()
    """Values of `Set-Cookie` headers."""

    def head(self) -> bytes:
        """Status line and headers."""
        lines = [
            f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}",
            f"content-type: {self.content_type}",
            f"content-length: {len(self.body)}",
            *(f"{name}: {value}" for name, value in self.headers.items()),
            *(f"set-cookie: {value}" for value in self.cookies),
        ]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")


def json_response(value: object, status: int = 200) -> Response:
    """A JSON answer."""
    return Response(status, orjson.dumps(value))


def text_response(text: str, content_type: str = "text/html; charset=utf-8", status: int = 200) -> Response:
    """A text answer."""
    return Response(status, text.encode(), content_type)


async def read_request(reader: asyncio.StreamReader, tunnel: str | None) -> Request | None:
    """The next request of a connection, None at its end; inside a tunnel the host is the tunnel's.

    Raises BadRequest.
    """
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    except asyncio.LimitOverrunError as error:
        raise BadRequest("The request's head is too long.") from error
    lines = head.decode("latin-1").split("\r\n")
    words = lines[0].split(" ")
    if len(words) != 3:
        raise BadRequest("This is no HTTP request line.")
    headers: dict[str, str] = {}
    for line in lines[1:-2]:
        name, _, value = line.partition(":")
        name = name.strip().lower()
        joint = "; " if name == "cookie" else ", "
        headers[name] = headers[name] + joint + value.strip() if name in headers else value.strip()
    body = await _body(reader, headers)
    host, path = _target(words[0], words[1], headers, tunnel)
    path, _, query = path.partition("?")
    return Request(words[0], host, path, query, headers, body)


async def _body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    length = headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > BODY_LIMIT:
        raise BadRequest("The content-length is not one this server takes.")
    try:
        return await reader.readexactly(int(length))
    except asyncio.IncompleteReadError as error:
        raise BadRequest("The body ended early.") from error


def _target(method: str, target: str, headers: dict[str, str], tunnel: str | None) -> tuple[str, str]:
    if method == "CONNECT":
        return target.rpartition(":")[0].lower() or target.lower(), ""
    if target.startswith(("http://", "https://")):
        host, _, path = target.split("://", 1)[1].partition("/")
        return host.rsplit("@")[-1].partition(":")[0].lower(), f"/{path}"
    return tunnel or "", target
