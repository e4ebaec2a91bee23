"""Checks and providers as the app and the worker make them."""

from __future__ import annotations

from datetime import timedelta

from xget_db.engine import Database
from xget_kernel.clock import Clock
from xget_proxy.adapters.http import HttpProbe
from xget_proxy.adapters.lists import HttpsLists
from xget_proxy.adapters.mmdb import GeoBooks
from xget_proxy.deps import units
from xget_proxy.service import CheckService, Gate, ProviderService, Rhythm, Vault
from xget_proxy.settings import Settings


def providers_on(database: Database, settings: Settings, *, vault: Vault, gate: Gate, clock: Clock) -> ProviderService:
    """Providers in these tables."""
    return ProviderService(
        units(database.read),
        units(database.transaction, settings.kafka_topic_proxy_events),
        vault,
        gate,
        hosts=settings.provider_hosts,
        fetch=HttpsLists(),
        clock=clock,
    )


def checks_on(
    database: Database, settings: Settings, *, vault: Vault, gate: Gate, places: GeoBooks, clock: Clock
) -> CheckService:
    """Checks of the proxies in these tables."""
    return CheckService(
        units(database.read),
        units(database.transaction, settings.kafka_topic_proxy_events),
        vault,
        gate,
        probe=HttpProbe(settings.proxy_check_url, settings.proxy_check_seconds, settings.proxy_echo_url),
        clock=clock,
        locate=places,
        rhythm=Rhythm(timedelta(seconds=settings.proxy_check_every_seconds), settings.proxy_checks_at_once),
    )
