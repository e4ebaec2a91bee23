"""Whether the services behind the gateway can do their job now."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping

import httpx2 as httpx
import msgspec

from xget_web.health import Degraded

ASK_SECONDS = 3.0
"""A service bounds its own checks to two."""


class Readiness:
    """Asks each service, by its base URL, all at once; `workers` tells what those of this process miss, by name."""

    def __init__(self, services: Mapping[str, str], workers: Callable[[], Mapping[str, Iterable[str]]] = dict) -> None:
        self._services = services
        self._workers = workers

    async def reasons(self) -> list[str]:
        """A sentence for each service that cannot work now; empty when all can."""
        return [sentence for sentence in await self.found() if not isinstance(sentence, Degraded)]

    async def found(self) -> list[str]:
        """The reasons, and what the services call degraded as `Degraded`."""
        async with httpx.AsyncClient(timeout=ASK_SECONDS, trust_env=False) as client:
            found = await asyncio.gather(*(_ask(client, name, url) for name, url in self._services.items()))
        sentences = [sentence for answer in found for sentence in answer]
        told = {sentence.partition(": ")[2] for sentence in sentences}
        missed = ((name, sentence) for name, said in self._workers().items() for sentence in said)
        return sentences + [Degraded(f"{name}: {sentence}") for name, sentence in missed if sentence not in told]


async def _ask(client: httpx.AsyncClient, name: str, url: str) -> list[str]:
    try:
        answer = await client.get(f"{url}/readyz")
    except httpx.TimeoutException:
        return [f"{name}: does not answer within {ASK_SECONDS:.0f} s"]
    except httpx.HTTPError:
        return [f"{name}: does not answer"]
    if not answer.is_success:
        return [f"{name}: {answer.text[:300]}"]
    try:
        degraded = msgspec.json.decode(answer.content, type=_Ready).degraded
    except msgspec.DecodeError:
        return []
    return [Degraded(f"{name}: {sentence}") for sentence in degraded]


class _Ready(msgspec.Struct):
    degraded: list[str] = []
