"""The joined OpenAPI document, made from the running services and kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx2 as httpx

from xget_kernel.errors import Unavailable
from xget_standalone import __version__
from xget_standalone.gateway.openapi import join


class JoinedDocument:
    """Fetched on first use; kept for the life of the process, since the services live as long."""

    def __init__(self, services: list[str], upstream: Callable[[str], str]) -> None:
        self._services = services
        self._upstream = upstream
        self._client = httpx.AsyncClient(timeout=10.0, trust_env=False)
        self._document: dict[str, Any] | None = None

    async def get(self) -> dict[str, Any]:
        """The document; raises Unavailable (503) when a service does not answer."""
        if self._document is None:
            documents = {service: await self._fetch(service) for service in self._services}
            self._document = join(documents, __version__)
        return self._document

    async def _fetch(self, service: str) -> dict[str, Any]:
        try:
            answer = await self._client.get(f"{self._upstream(service)}/openapi.json")
            found: dict[str, Any] = answer.raise_for_status().json()
        except (httpx.HTTPError, ValueError) as error:
            raise Unavailable(f"The {service} service does not answer; try again in a moment.") from error
        return found

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()
