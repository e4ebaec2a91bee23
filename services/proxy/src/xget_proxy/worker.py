"""The proxy service's background work."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Final

from xget_db.clock import ServerClock
from xget_db.data_keys import open_keys
from xget_db.engine import Database
from xget_db.migrations import upgrade
from xget_db.outbox import OutboxRelay
from xget_events.log import EventLog
from xget_kernel.clock import Clock
from xget_proxy.adapters.checking import checks_on, providers_on
from xget_proxy.adapters.dns import system_addresses
from xget_proxy.adapters.mmdb import GeoBooks
from xget_proxy.adapters.topics import create_topics
from xget_proxy.deps import units
from xget_proxy.models import OUTBOX, SEALED
from xget_proxy.service import Allowed, Gate, Upkeep, Vault
from xget_proxy.settings import Settings
from xget_proxy.tasks import repeat
from xget_telemetry.metrics import Registry
from xget_telemetry.standard import measure_outbox

_PRUNE_SECONDS: Final = 600.0


class Worker:
    """Checks all proxies in turn, and those whose pause is over. Run as many as you like on one database."""

    def __init__(self, settings: Settings, log: EventLog, clock: ServerClock, metrics: Registry | None = None) -> None:
        self.metrics = metrics or Registry()
        self.begun = asyncio.Event()
        """Set when it has all that it needs and works."""
        self._settings = settings
        self._log = log
        self._clock = clock
        self._places: GeoBooks | None = None

    def degraded(self) -> dict[str, str]:
        """What works less well now, as sentences by what they are about."""
        trouble = self._places.trouble if self._places else ""
        return {"geoip": trouble} if trouble else {}

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set. Raises StartupError when the tables or the MMDB files cannot be used."""
        async with AsyncExitStack() as stack:
            await asyncio.to_thread(upgrade, self._settings.tables_url, "xget_proxy")
            database = Database(self._settings.tables_url)
            stack.push_async_callback(database.close)
            await stack.enter_async_context(self._clock.following(database))
            self._places = GeoBooks(self._settings.geoip_db)
            stack.callback(self._places.close)
            keys = await open_keys(self._settings, database, SEALED)
            await stack.enter_async_context(keys.following())
            await create_topics(self._log, self._settings)
            relay = OutboxRelay(database, OUTBOX, self._log, self._clock)
            measure_outbox(self.metrics, relay, self._clock)
            self.begun.set()
            async with asyncio.TaskGroup() as group:
                group.create_task(relay.run(stop))
                group.create_task(self._work(database, Vault(keys.ring), self._places, stop))

    async def _work(self, database: Database, vault: Vault, places: GeoBooks, stop: asyncio.Event) -> None:
        settings, clock = self._settings, self._clock
        gate = Gate(Allowed.parse(settings.proxy_allow_networks), system_addresses, clock)
        checks = checks_on(database, settings, vault=vault, gate=gate, places=places, clock=clock)
        providers = providers_on(database, settings, vault=vault, gate=gate, clock=clock)
        trail = timedelta(days=settings.proxy_trail_days)
        upkeep = Upkeep(units(database.transaction), clock, timedelta(days=settings.proxy_audit_days), trail)
        async with asyncio.TaskGroup() as group:
            often = settings.proxy_recheck_seconds
            group.create_task(repeat("checks", checks.in_turn, often, clock, stop))
            group.create_task(repeat("providers", providers.in_turn, often, clock, stop))
            group.create_task(repeat("upkeep", upkeep.prune, _PRUNE_SECONDS, clock, stop))


def create_worker(
    settings: Settings, *, log: EventLog, clock: Clock | None = None, metrics: Registry | None = None
) -> Worker:
    """The proxy service's worker on `log`."""
    return Worker(settings, log, ServerClock(clock), metrics)
