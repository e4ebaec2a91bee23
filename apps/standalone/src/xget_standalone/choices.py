"""What every command understands alike: the home folder, ports, open mode."""

from __future__ import annotations

import ipaddress
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from xget_kernel.engines import EngineSettings
from xget_kernel.errors import StartupError
from xget_kernel.keys import KeySettings
from xget_kernel.settings import ServiceSettings
from xget_standalone.services import PARTS, Addresses

BANNER = (
    "OPEN MODE: whoever can reach {url} is the administrator, without a password.\n"
    "           Only this machine's loopback address is served. Do not forward this port."
)


def home_of(given: Path | None) -> Path:
    """The folder of all state: as given, by XGET_HOME, or ./.xget."""
    return given or Path(os.environ.get("XGET_HOME") or ".xget")


def keys_of(settings: ServiceSettings) -> KeySettings:
    """The same settings as those of a service that keeps secrets."""
    if isinstance(settings, KeySettings):
        return settings
    return KeySettings(**{name: value for name, value in settings if name in settings.model_fields_set})


def addresses_of(host: str, base: int, *, open_mode: bool) -> Addresses:
    """Where everything listens. Raises StartupError for ports that do not exist, and for an open mode to the world."""
    if not 1 <= base <= 64000:
        raise StartupError("--port-base must be between 1 and 64000, since services and gRPC listen above it.")
    check_open(host, open_mode=open_mode)
    return Addresses(host, base)


def check_open(host: str, *, open_mode: bool) -> None:
    """Raise StartupError when open mode would be open to other machines."""
    if open_mode and not _is_loopback(host):
        raise StartupError("--open only works on a loopback address: use --host 127.0.0.1, or log in instead.")


def check_tables(settings: EngineSettings) -> None:
    """Raise StartupError when all services would have their tables in one file, where they are in each other's way."""
    if settings.database_url and not settings.is_real("tables"):
        raise StartupError(
            "DATABASE_URL names one SQLite file for all services: unset it (each has a file in the home folder), or "
            "name PostgreSQL."
        )


def warn_of_open_mode(url: str) -> None:
    """Say loudly what open mode means."""
    print(BANNER.format(url=url), file=sys.stderr, flush=True)  # noqa: T201 - a command line speaks by printing


def _is_loopback(host: str) -> bool:
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


def upstreams_of(settings: ServiceSettings) -> Mapping[str, str]:
    """Base URL of every service, by the settings."""
    return {name: str(getattr(settings, f"{name}_service_url")).rstrip("/") for name in PARTS}
