"""Whether the services behind the gateway can do their job now."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import httpx2 as httpx

ASK_SECONDS = 5.0


class Readiness:
    """Asks each service, by its base URL."""

    def __init__(self, services: Mapping[str, str]) -> None:
        self._services = services

    async def reasons(self) -> list[str]:
        """A sentence for each service that cannot work now; empty when all can."""
        async with httpx.AsyncClient(timeout=ASK_SECONDS, trust_env=False) as client:
            found = await asyncio.gather(*(_ask(client, url) for url in self._services.values()))
        return [f"{name}: {reason}" for name, reason in zip(self._services, found, strict=True) if reason]


async def _ask(client: httpx.AsyncClient, url: str) -> str | None:
    try:
        answer = await client.get(f"{url}/readyz")
    except httpx.HTTPError:
        return "does not answer"
    return None if answer.is_success else answer.text[:300]
