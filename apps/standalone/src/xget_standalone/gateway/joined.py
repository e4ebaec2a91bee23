"""The joined OpenAPI document, made from the running services and kept for a minute."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

import httpx2 as httpx
import msgspec

from xget_cache.ports import Cache
from xget_kernel.errors import Unavailable
from xget_standalone import __version__
from xget_standalone.gateway.openapi import join

KEPT_SECONDS: Final = 60.0
"""A service may be replaced by another version while the gateway runs."""


class JoinedDocument:
    """Fetched when it is asked for and not kept; of all gateways that share a cache one fetches it."""

    def __init__(self, services: list[str], upstream: Callable[[str], str], cache: Cache) -> None:
        self._services = services
        self._upstream = upstream
        self._cache = cache
        self._client = httpx.AsyncClient(timeout=10.0, trust_env=False)

    async def get(self) -> bytes:
        """The document as JSON; raises Unavailable (503) when a service does not answer."""
        return await self._cache.get_or_set(f"openapi:{__version__}", KEPT_SECONDS, self._make)

    async def _make(self) -> bytes:
        documents = await asyncio.gather(*(self._fetch(service) for service in self._services))
        return msgspec.json.encode(join(dict(zip(self._services, documents, strict=True)), __version__))

    async def _fetch(self, service: str) -> dict[str, Any]:
        try:
            answer = await self._client.get(f"{self._upstream(service)}/openapi.json")
            found: dict[str, Any] = answer.raise_for_status().json()
        except (httpx.HTTPError, ValueError) as error:
            raise Unavailable(
                f"The {service} service does not answer; try again in a moment.", headers={"Retry-After": "2"}
            ) from error
        return found

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()
