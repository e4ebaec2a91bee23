"""Tries proxies for real and records what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from xget_kernel.caller import Caller
from xget_kernel.clock import Clock
from xget_kernel.secrets import SecretUnreadable
from xget_proxy.errors import HostUnknown, InsideNetwork, ProxyNotFound
from xget_proxy.models import Proxy
from xget_proxy.schemas import CheckLine, CheckRequest, CheckResult
from xget_proxy.service.gate import Gate
from xget_proxy.service.health import failed, state, succeeded
from xget_proxy.service.pool import Work
from xget_proxy.service.vault import Vault

AT_ONCE = 8
MOST = 100


@dataclass(frozen=True)
class ProbeResult:
    """What one try showed. `reason` is a sentence without secrets; empty when it went well."""

    ok: bool
    latency_ms: float | None
    reason: str = ""


Probe = Callable[[str], Awaitable[ProbeResult]]
"""Connects through the proxy at a URL; never raises for a proxy that does not work."""


class CheckService:
    """Checks. No transaction is open while proxies are tried."""

    def __init__(self, look: Work, work: Work, vault: Vault, gate: Gate, *, probe: Probe, clock: Clock) -> None:
        self._look = look
        self._work = work
        self._vault = vault
        self._gate = gate
        self._probe = probe
        self._clock = clock

    async def check(self, wish: CheckRequest, caller: Caller) -> CheckResult:
        """Try the proxies that are asked for, at most 100, eight at a time. Raises ProxyNotFound (404)."""
        async with self._look() as proxies:
            if wish.ids is not None:
                found = await proxies.by_ids(caller.owner_filter, wish.ids)
                if len(found) != len(set(wish.ids)):
                    raise ProxyNotFound()
                total = len(found)
            else:
                found, total = await proxies.longest_unchecked(caller.owner_filter, MOST)
        lines = await self._try(found)
        good = sum(line.ok for line in lines)
        return CheckResult(ok=good, failed=len(lines) - good, left=total - len(found), items=lines)

    async def recheck(self) -> int:
        """Try proxies of everybody whose pause is over; gives how many were tried."""
        async with self._look() as proxies:
            found = await proxies.due(self._clock.now(), MOST)
        return len(await self._try(found))

    async def _try(self, proxies: Sequence[Proxy]) -> list[CheckLine]:
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(proxy: Proxy) -> ProbeResult:
            async with gate:
                try:
                    address = await self._gate.admit(proxy.ip, internal=proxy.allow_internal)
                    return await self._probe(self._vault.url(proxy, address))
                except (SecretUnreadable, InsideNetwork, HostUnknown) as error:
                    return ProbeResult(False, None, error.detail)

        results = await asyncio.gather(*(one(proxy) for proxy in proxies))
        return await self._record(dict(zip((proxy.id for proxy in proxies), results, strict=True)))

    async def _record(self, results: dict[str, ProbeResult]) -> list[CheckLine]:
        """One transaction for all; a proxy that was deleted meanwhile is left out."""
        if not results:
            return []
        lines = []
        async with self._work() as proxies:
            now = self._clock.now()
            for proxy in await proxies.by_ids(None, list(results)):
                result = results[proxy.id]
                if result.ok:
                    succeeded(proxy, result.latency_ms, now)
                else:
                    failed(proxy, result.reason, now)
                line = {"proxy_id": proxy.id, "status": state(proxy, now), "reason": result.reason}
                lines.append(CheckLine.model_validate({**line, "ok": result.ok, "latency_ms": result.latency_ms}))
        return lines
