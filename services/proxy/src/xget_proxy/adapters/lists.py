"""Fetches providers' lists: over TLS, from the address that was looked at, no further."""

from __future__ import annotations

import asyncio
from typing import Final
from urllib.parse import urlsplit

import httpx2 as httpx
from httpx2 import create_ssl_context

from xget_proxy.errors import ListUnreadable

SECONDS: Final = 30.0
MOST_BYTES: Final = 2_000_000
_PLAIN: Final = {"Accept-Encoding": "identity"}
"""A few kilobytes of a compressed answer may become gigabytes."""


class HttpsLists:
    """GET of an https URL. The certificate must be for the URL's host, whatever the address."""

    def __init__(self) -> None:
        self._tls = create_ssl_context()

    async def __call__(self, url: str, address: str) -> str:
        """The text at a URL. Raises ListUnreadable, whose sentence never repeats the URL."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        place = f"[{address}]" if ":" in address else address
        port = f":{parts.port}" if parts.port else ""
        pinned = f"https://{place}{port}{parts.path or '/'}" + (f"?{parts.query}" if parts.query else "")
        try:
            async with (
                asyncio.timeout(SECONDS),
                httpx.AsyncClient(verify=self._tls, trust_env=False, timeout=SECONDS) as client,
                client.stream(
                    "GET", pinned, headers={"Host": f"{host}{port}", **_PLAIN}, extensions={"sni_hostname": host}
                ) as response,
            ):
                if response.is_redirect:
                    raise ListUnreadable("It redirects elsewhere, which is not followed: give the final URL.")
                if response.status_code != httpx.codes.OK:
                    raise ListUnreadable(f"It answered HTTP {response.status_code}.")
                body = b""
                if response.headers.get("content-encoding", "identity") != "identity":
                    raise ListUnreadable("It is compressed, which is not read: give a plain list.")
                async for chunk in response.aiter_raw():
                    body += chunk
                    if len(body) > MOST_BYTES:
                        raise ListUnreadable(f"It is larger than {MOST_BYTES // 1_000_000} MB.")
        except (httpx.TimeoutException, TimeoutError) as error:
            raise ListUnreadable(f"It gave no answer within {SECONDS:g} seconds.") from error
        except (httpx.HTTPError, OSError) as error:
            raise ListUnreadable(f"It cannot be reached ({type(error).__name__}).") from error
        return body.decode("utf-8", "replace")
