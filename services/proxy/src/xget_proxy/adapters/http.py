"""Tries a proxy with a real request."""

from __future__ import annotations

import ssl
import time

import httpx2 as httpx
from httpx2 import create_ssl_context

from xget_proxy.service import ProbeResult
from xget_telemetry.logs import get_logger

log = get_logger(__name__)

_LONGEST = 120


class HttpProbe:
    """Fetches one page through a proxy: CONNECT or SOCKS5, TLS checked against the trusted CAs (`SSL_CERT_FILE`)."""

    def __init__(self, url: str, seconds: float) -> None:
        self._url = url
        self._seconds = seconds
        self._tls = create_ssl_context()

    async def __call__(self, proxy_url: str) -> ProbeResult:
        """Time to the first byte in milliseconds, or why there was none. Any answer of the site itself is a success."""
        started = time.perf_counter()
        try:
            status = await self._fetch(proxy_url)
        except httpx.TimeoutException:
            return ProbeResult(False, None, f"No answer within {self._seconds:g} seconds.")
        except Exception as error:  # noqa: BLE001 - libraries raise all sorts of errors about what strangers send
            log.info("proxy_check_failed", error=type(error).__name__)
            return ProbeResult(False, None, _sentence(error))
        if status == httpx.codes.PROXY_AUTHENTICATION_REQUIRED:
            return ProbeResult(False, None, "The proxy wants another login (407).")
        if status in {httpx.codes.BAD_GATEWAY, httpx.codes.GATEWAY_TIMEOUT}:
            return ProbeResult(False, None, f"The proxy could not reach the site ({status}).")
        return ProbeResult(True, round((time.perf_counter() - started) * 1000, 1))

    async def _fetch(self, proxy_url: str) -> int:
        secure = proxy_url.startswith("https:")
        proxy = httpx.Proxy(proxy_url, ssl_context=self._tls if secure else None)
        timeout = httpx.Timeout(self._seconds)
        async with (
            httpx.AsyncClient(proxy=proxy, verify=self._tls, timeout=timeout, trust_env=False) as client,
            client.stream("GET", self._url, headers={"User-Agent": "Mozilla/5.0"}) as response,
        ):
            return response.status_code


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
