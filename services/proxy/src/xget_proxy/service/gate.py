"""Lets proxies be used only outside the operator's own network, and only at the address that was looked at."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final

from xget_kernel.clock import Clock
from xget_proxy.errors import HostUnknown, InsideNetwork
from xget_proxy.service.addresses import Address, Allowed, inside, inside_name, literal

Resolve = Callable[[str], Awaitable[Sequence[Address]]]
"""The addresses of a name, none when it has none now; never raises for a name that cannot be found."""

KEPT_SECONDS: Final = 30.0
_MOST_KEPT: Final = 4096
_AT_ONCE: Final = 32
_SCREEN_SECONDS: Final = 5.0


class Gate:
    """Looks names up and says which proxies may be used. For one event loop."""

    def __init__(self, allowed: Allowed, resolve: Resolve, clock: Clock) -> None:
        self._allowed = allowed
        self._resolve = resolve
        self._clock = clock
        self._known: dict[str, tuple[float, Sequence[Address]]] = {}

    async def admit(self, host: str, *, internal: bool) -> str:
        """The address to connect to. Raises InsideNetwork unless `internal`, and HostUnknown."""
        address = self._written(host, internal=internal)
        if address is not None:
            return str(address)
        found = await self._addresses(host)
        if not found:
            raise HostUnknown(host)
        self._judge(host, found, internal=internal)
        return str(found[0])

    async def screen(self, hosts: Iterable[str]) -> dict[str, str]:
        """Why which of these hosts are refused, as sentences. A name that is not found now passes: it is looked up
        again at each use, as all names are."""
        refused: dict[str, str] = {}
        names = []
        for host in dict.fromkeys(hosts):
            try:
                if self._written(host, internal=False) is None:
                    names.append(host)
            except InsideNetwork as error:
                refused[host] = error.detail
        turns = asyncio.Semaphore(_AT_ONCE)

        async def look(name: str) -> None:
            async with turns:
                try:
                    self._judge(name, await self._addresses(name), internal=False)
                except InsideNetwork as error:
                    refused[name] = error.detail

        looking = [asyncio.ensure_future(look(name)) for name in names]
        if looking:
            _, late = await asyncio.wait(looking, timeout=_SCREEN_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        return refused

    def _written(self, host: str, *, internal: bool) -> Address | None:
        """The address that the host is, None for a name to look up."""
        address = literal(host)
        if address is not None:
            self._judge(host, [address], internal=internal)
        elif not internal and host not in self._allowed.names and inside_name(host):
            raise InsideNetwork(host)
        return address

    def _judge(self, host: str, addresses: Sequence[Address], *, internal: bool) -> None:
        if internal or host in self._allowed.names:
            return
        if any(inside(address) and not self._allowed.address(address) for address in addresses):
            raise InsideNetwork(host)

    async def _addresses(self, name: str) -> Sequence[Address]:
        now = self._clock.monotonic()
        known = self._known.get(name)
        if known is not None and known[0] > now:
            return known[1]
        found = await self._resolve(name)
        if len(self._known) >= _MOST_KEPT:
            self._known.clear()
        self._known[name] = (now + KEPT_SECONDS, found)
        return found
