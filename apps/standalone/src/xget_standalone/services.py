"""What one process runs, and where: the only place that knows all services."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import msgspec
from fastapi import FastAPI

from xget_account.app import create_app as account_app
from xget_account.settings import Settings as AccountSettings
from xget_auth.app import create_app as auth_app
from xget_auth.settings import Settings as AuthSettings
from xget_events.log import EventLog
from xget_kernel.clock import Clock
from xget_kernel.settings import GRPC_OFFSET, ServiceSettings
from xget_processing.app import create_app as processing_app
from xget_processing.settings import Settings as ProcessingSettings
from xget_processing.worker import create_worker as processing_worker
from xget_proxy.app import create_app as proxy_app
from xget_proxy.settings import Settings as ProxySettings
from xget_proxy.worker import create_worker as proxy_worker
from xget_scraper.app import create_app as scraper_app
from xget_scraper.settings import Settings as ScraperSettings
from xget_scraper.worker import create_worker as scraper_worker
from xget_storage.app import create_app as storage_app
from xget_storage.settings import Settings as StorageSettings
from xget_storage.worker import create_worker as storage_worker

OFFSETS = {"auth": 1, "scraper": 3, "account": 4, "proxy": 5, "processing": 6, "storage": 7}
"""Port of each service above the gateway's."""
SETTINGS: dict[str, type[ServiceSettings]] = {
    "auth": AuthSettings,
    "scraper": ScraperSettings,
    "account": AccountSettings,
    "proxy": ProxySettings,
    "processing": ProcessingSettings,
    "storage": StorageSettings,
}


class Worker(Protocol):
    """Something that works until it is told to stop."""

    async def run(self, stop: Any) -> None:
        """Work until the event `stop` is set, then finish what is in hand."""


class Addresses(msgspec.Struct, frozen=True):
    """Where everything of this process listens."""

    host: str
    base: int

    @property
    def reach(self) -> str:
        """Address by which this process reaches itself."""
        return {"0.0.0.0": "127.0.0.1", "::": "[::1]", "::1": "[::1]"}.get(self.host, self.host)

    def port(self, service: str) -> int:
        """HTTP port of a service."""
        return self.base + OFFSETS[service]

    def url(self, service: str) -> str:
        """Base URL of a service."""
        return f"http://{self.reach}:{self.port(service)}"

    @property
    def gateway(self) -> str:
        """Base URL of the gateway."""
        return f"http://{self.reach}:{self.base}"


def settings_of(addresses: Addresses, home: Path, *, open_mode: bool) -> dict[str, Any]:
    """Settings of every service; a service's URL in the environment wins over the port table."""
    urls = {
        f"{name}_service_url": addresses.url(name)
        for name in OFFSETS
        if not os.environ.get(f"{name.upper()}_SERVICE_URL")
    }
    made = {}
    for name, kind in SETTINGS.items():
        port = addresses.port(name)
        ports = {"port": port, "grpc_port": port + GRPC_OFFSET}
        made[name] = kind(home=home, host=addresses.host, open_mode=open_mode, **ports, **urls)
    return made


def apps(settings: dict[str, Any], log: EventLog, clock: Clock) -> dict[str, FastAPI]:
    """The HTTP (and gRPC) side of every service."""
    return {
        "auth": auth_app(settings["auth"], clock=clock),
        "account": account_app(settings["account"], clock=clock),
        "proxy": proxy_app(settings["proxy"], clock=clock),
        "scraper": scraper_app(settings["scraper"], log=log, clock=clock),
        "processing": processing_app(settings["processing"], log=log, clock=clock),
        "storage": storage_app(settings["storage"], log=log, clock=clock),
    }


def workers(settings: dict[str, Any], log: EventLog, clock: Clock) -> dict[str, Worker]:
    """What works behind the services."""
    makers: dict[str, Callable[..., Worker]] = {
        "proxy": proxy_worker,
        "scraper": scraper_worker,
        "processing": processing_worker,
        "storage": storage_worker,
    }
    return {name: make(settings[name], log=log, clock=clock) for name, make in makers.items()}
