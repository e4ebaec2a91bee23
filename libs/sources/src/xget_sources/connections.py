"""HTTP connections to a platform, kept open between pages: each new one would pay two TLS handshakes."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import httpx
import msgspec

from xget_kernel.clock import Clock

TIMEOUT = httpx.Timeout(30.0, connect=10.0)


class _Idle(msgspec.Struct):
    key: tuple[str, str]
    client: httpx.AsyncClient
    since: float


class Connections:
    """Idle clients by account and proxy: at most `max_idle`, none older than `idle_seconds`. For one event loop."""

    def __init__(self, clock: Clock, *, max_idle: int = 16, idle_seconds: float = 90.0) -> None:
        self._clock = clock
        self._max_idle = max_idle
        self._idle_seconds = idle_seconds
        self._idle: list[_Idle] = []
        self._trust: ssl.SSLContext | None = None

    async def take(self, account_id: str, proxy_url: str | None) -> httpx.AsyncClient:
        """A client that is nobody else's until it is given back; it follows no redirects and keeps no cookies."""
        await self._drop_old()
        key = (account_id, proxy_url or "")
        for index in range(len(self._idle) - 1, -1, -1):
            if self._idle[index].key == key:
                return self._idle.pop(index).client
        if self._trust is None:
            self._trust = httpx.create_ssl_context()  # honours SSL_CERT_FILE; reading the CAs takes a while, so once
        limits = httpx.Limits(max_connections=2, max_keepalive_connections=1, keepalive_expiry=self._idle_seconds)
        return httpx.AsyncClient(
            proxy=proxy_url,
            verify=self._trust,
            timeout=TIMEOUT,
            limits=limits,
            follow_redirects=False,
            trust_env=False,
            event_hooks={"request": [_watch_greeting]},
        )

    async def give_back(self, account_id: str, proxy_url: str | None, client: httpx.AsyncClient) -> None:
        """Keep a client for the account's next page; the oldest goes when there are too many."""
        client.cookies.clear()
        self._idle.append(_Idle((account_id, proxy_url or ""), client, self._clock.monotonic()))
        while len(self._idle) > self._max_idle:
            await self._idle.pop(0).client.aclose()

    async def close(self) -> None:
        """Close all idle clients."""
        idle, self._idle = self._idle, []
        for entry in idle:
            await entry.client.aclose()

    @property
    def idle(self) -> int:
        """How many clients wait for their account's next page."""
        return len(self._idle)

    async def _drop_old(self) -> None:
        oldest = self._clock.monotonic() - self._idle_seconds
        old = [entry for entry in self._idle if entry.since < oldest]
        self._idle = [entry for entry in self._idle if entry.since >= oldest]
        for entry in old:
            await entry.client.aclose()


async def _watch_greeting(request: httpx.Request) -> None:
    """Close the request's connection if its SOCKS greeting fails: the library leaves it to the garbage collector.

    What a library of its own raises about garbage becomes a ProxyError, as of any proxy that does not work.
    """
    streams: list[Any] = []

    async def heard(event: str, info: Mapping[str, Any]) -> None:
        if event.endswith("setup_socks5_connection.started"):
            streams.append(info["stream"])
        elif event.endswith("setup_socks5_connection.failed"):
            for stream in streams:
                with suppress(OSError):
                    await stream.aclose()
            error = info["exception"]
            if isinstance(error, Exception) and not isinstance(error, OSError) and _foreign(error):
                raise httpx.ProxyError("the proxy does not speak SOCKS5") from error

    request.extensions["trace"] = heard


def _foreign(error: Exception) -> bool:
    """Whether httpx does not translate it."""
    return type(error).__module__.partition(".")[0] != "httpcore"
