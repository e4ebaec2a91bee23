"""The proxy service's background work."""

from __future__ import annotations

import asyncio

from xget_db.clock import ServerClock
from xget_db.engine import Database
from xget_db.migrations import upgrade
from xget_events.log import EventLog
from xget_kernel.clock import Clock
from xget_proxy.adapters.dns import system_addresses
from xget_proxy.adapters.http import HttpProbe
from xget_proxy.deps import units
from xget_proxy.service import Allowed, CheckService, Gate, Vault
from xget_proxy.settings import Settings
from xget_proxy.tasks import recheck_paused
from xget_telemetry.metrics import Registry


class Worker:
    """Tries paused proxies again when their pause is over."""

    def __init__(self, settings: Settings, clock: ServerClock, metrics: Registry | None = None) -> None:
        self.metrics = metrics or Registry()
        self.begun = asyncio.Event()
        """Set when it has all that it needs and works."""
        self._settings = settings
        self._clock = clock

    def degraded(self) -> dict[str, str]:
        """What works less well now, as sentences by what they are about: nothing that this worker knows of."""
        return {}

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set. Raises StartupError when the tables cannot be used."""
        await asyncio.to_thread(upgrade, self._settings.tables_url, "xget_proxy")
        database = Database(self._settings.tables_url)
        try:
            async with self._clock.following(database):
                self.begun.set()
                await self._recheck(database, stop)
        finally:
            await database.close()

    async def _recheck(self, database: Database, stop: asyncio.Event) -> None:
        settings = self._settings
        probe = HttpProbe(settings.proxy_check_url, settings.proxy_check_seconds)
        vault = Vault(settings.keyring())
        gate = Gate(Allowed.parse(settings.proxy_allow_networks), system_addresses, self._clock)
        checks = CheckService(
            units(database.read), units(database.transaction), vault, gate, probe=probe, clock=self._clock
        )
        await recheck_paused(checks, settings.proxy_recheck_seconds, self._clock, stop)


def create_worker(
    settings: Settings, *, log: EventLog | None = None, clock: Clock | None = None, metrics: Registry | None = None
) -> Worker:
    """The proxy service's worker. It announces no events yet: `log` is taken because every worker is made alike."""
    return Worker(settings, ServerClock(clock), metrics)
