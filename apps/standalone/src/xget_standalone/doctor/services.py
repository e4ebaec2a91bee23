"""What the services that run say about themselves."""

from __future__ import annotations

import asyncio
import time

import httpx2 as httpx

from xget_kernel.settings import ServiceSettings
from xget_standalone.choices import upstreams_of
from xget_standalone.doctor.findings import Finding

ASK_SECONDS = 3.0


async def look_at_services(settings: ServiceSettings, gateway: str) -> list[Finding]:
    """A finding for the gateway and for each service. One that does not answer is taken as not started."""
    places = {"gateway": gateway, **upstreams_of(settings)}
    async with httpx.AsyncClient(timeout=ASK_SECONDS, trust_env=False) as client:
        return list(await asyncio.gather(*(_look(client, name, url) for name, url in places.items())))


async def _look(client: httpx.AsyncClient, name: str, url: str) -> Finding:
    began = time.perf_counter()
    try:
        answer = await client.get(f"{url}/readyz")
    except httpx.HTTPError:
        return Finding(area="service", name=name, state="idle", address=url, says="It does not run here.")
    took = round((time.perf_counter() - began) * 1000, 1)
    if answer.is_success:
        return Finding(area="service", name=name, state="ok", address=url, latency_ms=took)
    return Finding(
        area="service",
        name=name,
        state="wrong",
        address=url,
        latency_ms=took,
        says=_reasons(answer),
        advice="Mend what it names; it comes back by itself.",
    )


def _reasons(answer: httpx.Response) -> str:
    try:
        found = answer.json()
    except ValueError:
        return f"It answers {answer.status_code}."
    if not isinstance(found, dict):
        return f"It answers {answer.status_code}."
    return str(found.get("detail") or "; ".join(map(str, found.get("reasons", []))) or found.get("title", ""))[:500]
