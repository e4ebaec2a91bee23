"""Tries proxies for real and records what came of it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from xget_kernel.caller import Caller
from xget_kernel.clock import Clock
from xget_kernel.secrets import SecretUnreadable
from xget_proxy.errors import HostUnknown, InsideNetwork, ProxyNotFound
from xget_proxy.events import exit_changed, state_changed
from xget_proxy.models import Proxy
from xget_proxy.schemas import CheckLine, CheckRequest, CheckResult
from xget_proxy.service.gate import Gate
from xget_proxy.service.health import state
from xget_proxy.service.pool import Work
from xget_proxy.service.seeing import Locate, Place, ProbeResult, located, seen
from xget_proxy.service.vault import Vault
from xget_proxy.service.wishes import new_session

AT_ONCE: Final = 8
"""For a person who waits."""
MOST: Final = 100
CLAIM: Final = timedelta(minutes=5)
"""How long a worker that takes proxies in turn has for them before another does."""

Probe = Callable[[str], Awaitable[ProbeResult]]
"""Connects through the proxy at a URL; never raises for a proxy that does not work."""


@dataclass(frozen=True)
class Rhythm:
    """How often each proxy is checked in the background, and how many at once."""

    every: timedelta = timedelta(minutes=15)
    at_once: int = 32


def _nowhere(address: str) -> Place:
    return Place()


class CheckService:
    """Checks. No transaction is open while proxies are tried."""

    def __init__(
        self,
        look: Work,
        work: Work,
        vault: Vault,
        gate: Gate,
        *,
        probe: Probe,
        clock: Clock,
        locate: Locate = _nowhere,
        rhythm: Rhythm = Rhythm(),
    ) -> None:
        self._look = look
        self._work = work
        self._vault = vault
        self._gate = gate
        self._probe = probe
        self._clock = clock
        self._locate = locate
        self._rhythm = rhythm

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
        lines = await self._try(found, AT_ONCE)
        good = sum(line.ok for line in lines)
        return CheckResult(ok=good, failed=len(lines) - good, left=total - len(found), items=lines)

    async def in_turn(self) -> int:
        """Try proxies of everybody whose check is due or whose pause is over; gives how many were tried.

        Several workers may do this at once: each takes others.
        """
        now = self._clock.now()
        async with self._work() as proxies:
            found = await proxies.due(now, 4 * self._rhythm.at_once)
            for proxy in found:
                proxy.check_at = now + CLAIM
        return len(await self._try(found, self._rhythm.at_once))

    async def _try(self, proxies: Sequence[Proxy], at_once: int) -> list[CheckLine]:
        gate = asyncio.Semaphore(at_once)

        async def one(proxy: Proxy) -> tuple[ProbeResult, str]:
            async with gate:
                try:
                    address = await self._gate.admit(proxy.ip, internal=proxy.allow_internal)
                    return await self._probe(self._vault.url(proxy, address, new_session())), address
                except (SecretUnreadable, InsideNetwork, HostUnknown) as error:
                    return ProbeResult(False, None, error.detail), ""

        results = await asyncio.gather(*(one(proxy) for proxy in proxies))
        return await self._record(dict(zip((proxy.id for proxy in proxies), results, strict=True)))

    async def _record(self, results: dict[str, tuple[ProbeResult, str]]) -> list[CheckLine]:
        """One transaction for all; a proxy that was deleted meanwhile is left out."""
        if not results:
            return []
        lines = []
        async with self._work() as proxies:
            now = self._clock.now()
            for proxy in await proxies.by_ids(None, list(results)):
                result, address = results[proxy.id]
                before = proxy.status
                left = seen(proxy, result, now)
                proxies.announce(state_changed(proxy, before, now))
                if left is not None:
                    proxies.announce(exit_changed(proxy, left, now))
                    await proxies.lending.forget([proxy.id])
                if where := (result.exit.ip if result.exit else address):
                    located(proxy, self._locate(where))
                if result.ok or proxy.pause_until is None:
                    proxy.check_at = now + self._rhythm.every * random.uniform(0.8, 1.2)
                line = {"proxy_id": proxy.id, "status": state(proxy, now), "reason": result.reason}
                lines.append(CheckLine.model_validate({**line, "ok": result.ok, "latency_ms": result.latency_ms}))
        return lines
