"""What the services that run say about themselves."""

from __future__ import annotations

import asyncio
import os
import time
from urllib.parse import urlsplit

import httpx2 as httpx
import msgspec

from xget_kernel.settings import ServiceSettings
from xget_standalone.choices import upstreams_of
from xget_standalone.cluster.plan import STATE_FILE
from xget_standalone.doctor.findings import Finding
from xget_standalone.services import PARTS, reachable

ASK_SECONDS = 3.0
DEFAULT_GATEWAY = "http://127.0.0.1:8000"


class _Process(msgspec.Struct):
    """As the supervisor writes it down; pid 0 does not run."""

    pid: int
    port: int


class _Ready(msgspec.Struct):
    degraded: list[str] = []


async def look_at_services(settings: ServiceSettings, gateway: str | None) -> list[Finding]:
    """A finding for the gateway and for each service, and for each worker of a cluster on the home folder.

    A cluster's processes are where its supervisor wrote down, else those of `xget up` are behind the gateway's port;
    `gateway` and the environment's URLs win over that. One that does not answer is taken as not started.
    """
    given = {name for name in PARTS if os.environ.get(f"{name.upper()}_SERVICE_URL")}
    found = {name: url for name, url in _of_cluster(settings).items() if name not in given}
    near = {name: url for name, url in beside(gateway).items() if name not in given}
    places = {"gateway": gateway or DEFAULT_GATEWAY, **upstreams_of(settings), **near, **found}
    if gateway:
        places["gateway"] = gateway
    async with httpx.AsyncClient(timeout=ASK_SECONDS, trust_env=False) as client:
        return list(await asyncio.gather(*(_look(client, name, url) for name, url in places.items())))


def beside(gateway: str | None) -> dict[str, str]:
    """Where `xget up` has the services of a gateway on this machine: behind its port. None elsewhere."""
    try:
        parts = urlsplit(gateway or "")
        host, port = parts.hostname or "", parts.port or 0
    except ValueError:
        return {}
    if host not in {"localhost", "127.0.0.1", "::1"} or not 0 < port <= 64000:
        return {}
    shown = f"[{host}]" if ":" in host else host
    return {name: f"{parts.scheme}://{shown}:{port + part.offset}" for name, part in PARTS.items()}


def _of_cluster(settings: ServiceSettings) -> dict[str, str]:
    """URL of each process that a cluster on this home runs; none when none does."""
    try:
        known = msgspec.json.decode((settings.home / STATE_FILE).read_bytes(), type=dict[str, _Process])
    except (OSError, msgspec.MsgspecError):
        return {}
    host = reachable(settings.host)
    return {name: f"http://{host}:{one.port}" for name, one in known.items() if one.pid}


async def _look(client: httpx.AsyncClient, name: str, url: str) -> Finding:
    began = time.perf_counter()
    try:
        answer = await client.get(f"{url}/readyz")
    except httpx.HTTPError:
        return Finding(area="service", name=name, state="idle", address=url, says="It does not run here.")
    took = round((time.perf_counter() - began) * 1000, 1)
    if answer.is_success:
        return Finding(area="service", name=name, state="ok", address=url, latency_ms=took, says=_degraded(answer))
    return Finding(
        area="service",
        name=name,
        state="wrong",
        address=url,
        latency_ms=took,
        says=_reasons(answer),
        advice="Mend what it names; it comes back by itself.",
    )


def _degraded(answer: httpx.Response) -> str:
    """What works less well while it is ready."""
    try:
        return "; ".join(msgspec.json.decode(answer.content, type=_Ready).degraded)[:500]
    except msgspec.MsgspecError:
        return ""


def _reasons(answer: httpx.Response) -> str:
    try:
        found = answer.json()
    except ValueError:
        return f"It answers {answer.status_code}."
    if not isinstance(found, dict):
        return f"It answers {answer.status_code}."
    return str(found.get("detail") or "; ".join(map(str, found.get("reasons", []))) or found.get("title", ""))[:500]
