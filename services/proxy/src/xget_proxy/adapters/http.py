"""Tries a proxy with a real request."""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from typing import Any, Final
from urllib.parse import urlsplit

import httpx2 as httpx
from httpx2 import create_ssl_context

from xget_proxy.service import ProbeResult
from xget_proxy.service.seeing import Exit, exit_of
from xget_telemetry.logs import get_logger

log = get_logger(__name__)

_LONGEST: Final = 120
_ECHO_BYTES: Final = 65_536
_OWN_SECONDS: Final = 3600.0
_HEADERS: Final = {"User-Agent": "Mozilla/5.0", "Accept-Encoding": "identity"}
"""Compressed answers are not read: a few kilobytes of them may become gigabytes."""


class HttpProbe:
    """Fetches one page through a proxy: CONNECT or SOCKS5, TLS checked against the trusted CAs (`SSL_CERT_FILE`).

    With an echo, that is asked through the same proxy for the exit's address and the headers that arrived.
    """

    def __init__(self, url: str, seconds: float, echo: str | None = None) -> None:
        self._url = url
        self._host = urlsplit(url).hostname
        self._seconds = seconds
        self._echo = echo
        self._tls = create_ssl_context()
        self._own: tuple[float, str | None] | None = None
        self._asking = asyncio.Lock()

    async def __call__(self, proxy_url: str) -> ProbeResult:
        """Time to the first byte in milliseconds, or why there was none. Any answer of the site itself is a success."""
        started = time.perf_counter()
        secure = proxy_url.startswith("https:")
        try:
            proxy = httpx.Proxy(proxy_url, ssl_context=self._tls if secure else None)
            async with _closing(), asyncio.timeout(2 * self._seconds), self._client(proxy) as client:
                reason = await self._fetch(client)
                took = round((time.perf_counter() - started) * 1000, 1)
                if reason:
                    return ProbeResult(False, None, reason)
                return ProbeResult(True, took, "", await self._exit(client))
        except (httpx.TimeoutException, TimeoutError):
            return ProbeResult(False, None, f"No answer within {self._seconds:g} seconds.")
        except Exception as error:  # noqa: BLE001 - libraries raise all sorts of errors about what strangers send
            log.info("proxy_check_failed", error=type(error).__name__)
            return ProbeResult(False, None, _sentence(error))

    def _client(self, proxy: httpx.Proxy | None) -> httpx.AsyncClient:
        timeout = httpx.Timeout(self._seconds)
        return httpx.AsyncClient(proxy=proxy, verify=self._tls, timeout=timeout, trust_env=False, headers=_HEADERS)

    async def _fetch(self, client: httpx.AsyncClient) -> str:
        """What is wrong with the answer; "" when it is the site's."""
        async with client.stream("GET", self._url, extensions={"trace": _opened}) as response:
            status = response.status_code
            target = urlsplit(response.headers.get("location", "")).hostname
        if status == httpx.codes.PROXY_AUTHENTICATION_REQUIRED:
            return "The proxy wants another login (407)."
        if status in {httpx.codes.BAD_GATEWAY, httpx.codes.GATEWAY_TIMEOUT}:
            return f"The proxy could not reach the site ({status})."
        if 300 <= status < 400 and target not in {None, self._host, f"www.{self._host}"}:
            return f"The proxy sends to another site ({status})."
        return ""

    async def _exit(self, client: httpx.AsyncClient) -> Exit | None:
        """What the echo tells; None when it tells nothing, which is not the proxy's fault."""
        if self._echo is None:
            return None
        own = await self._own_address()
        try:
            told = await self._told(client, self._echo)
        except (httpx.HTTPError, TimeoutError, ValueError) as error:
            log.info("proxy_echo_failed", error=type(error).__name__)
            return None
        return exit_of(told, own)

    async def _own_address(self) -> str | None:
        """Our address without a proxy, asked for once an hour; None when the echo cannot be reached so."""
        async with self._asking:
            now = time.monotonic()
            if self._own is None or self._own[0] < now:
                found = None
                try:
                    async with self._client(None) as client:
                        found = exit_of(await self._told(client, self._echo or ""), None)
                except (httpx.HTTPError, TimeoutError, ValueError):
                    log.info("own_address_unknown")
                self._own = (now + _OWN_SECONDS, found.ip if found else None)
            return self._own[1]

    async def _told(self, client: httpx.AsyncClient, url: str) -> dict[str, object]:
        """The echo's answer. Raises ValueError when it is none."""
        async with client.stream("GET", url, extensions={"trace": _opened}) as response:
            body = b""
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > _ECHO_BYTES:
                    raise ValueError("too large")
        told = json.loads(body)
        if not isinstance(told, dict):
            raise ValueError("not an object")
        return told


_STREAMS: ContextVar[list[Any] | None] = ContextVar("streams", default=None)


async def _opened(event: str, info: Mapping[str, Any]) -> None:
    """Hear of each connection that a request opens."""
    streams = _STREAMS.get()
    if streams is not None and event.endswith("connect_tcp.complete"):
        streams.append(info["return_value"])


@asynccontextmanager
async def _closing() -> AsyncIterator[None]:
    """Close what was opened within: the library leaves a connection open whose SOCKS greeting failed."""
    streams: list[Any] = []
    token = _STREAMS.set(streams)
    try:
        yield
    finally:
        _STREAMS.reset(token)
        for stream in streams:
            with suppress(OSError):
                await stream.aclose()


def _sentence(error: Exception) -> str:
    """What went wrong, without URLs: they may hold a password."""
    text = " ".join("".join(c if c.isprintable() else " " for c in str(error)).split())[:_LONGEST]
    if isinstance(error, ssl.SSLError) or "CERTIFICATE_VERIFY_FAILED" in text:
        return "The certificate that came through the proxy is not trusted: set SSL_CERT_FILE to its CA."
    if isinstance(error, httpx.ProxyError):
        return f"The proxy refused to connect ({text})." if text and "://" not in text else "The proxy refused."
    if isinstance(error, httpx.ConnectError):
        return "Cannot connect to the proxy: nothing answers at its address."
    return "The connection broke, or the proxy speaks another protocol than its type says."
