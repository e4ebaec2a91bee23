"""What a check saw of a proxy, and what that says about it. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from xget_proxy.models import Proxy
from xget_proxy.service.health import failed, succeeded

Anonymity = Literal["elite", "anonymous", "transparent"]

RECENT: Final = 32
"""Latencies and exits that are kept of each proxy."""
_ROTATES_FROM: Final = 3
"""Exits within the recent ones from which on a proxy is taken for a rotating gateway."""
_TELLING: Final = ("via", "x-forwarded-for", "forwarded", "x-real-ip", "client-ip", "x-proxy-id", "proxy-connection")
_ADDRESSES: Final = ("x-forwarded-for", "forwarded", "x-real-ip", "client-ip")


@dataclass(frozen=True)
class Exit:
    """What the other side saw: the address, and how much of us it was told."""

    ip: str
    anonymity: Anonymity | None
    """None when the other side does not show the headers it got."""


@dataclass(frozen=True)
class ProbeResult:
    """What one try showed. `reason` is a sentence without secrets; empty when it went well."""

    ok: bool
    latency_ms: float | None
    reason: str = ""
    exit: Exit | None = None


@dataclass(frozen=True)
class Place:
    """Where an address is, as far as known."""

    country: str | None = None
    city: str | None = None
    isp: str | None = None


Locate = Callable[[str], Place]
"""Where an address is; an empty Place when nobody knows."""


def exit_of(told: Mapping[str, object], own: str | None) -> Exit | None:
    """What an echo told: `ip` or `origin`, and `headers` as it got them; `own` is our address without a proxy."""
    address = _address(told.get("ip") or told.get("origin"))
    if address is None:
        return None
    headers = told.get("headers")
    if not isinstance(headers, Mapping):
        return Exit(address, None)
    plain = {str(name).lower(): str(value) for name, value in headers.items()}
    return Exit(address, _anonymity(plain, address, own))


def _anonymity(headers: Mapping[str, str], address: str, own: str | None) -> Anonymity:
    told = " ".join(headers.values())
    if own is not None and (address == own or own in told):
        return "transparent"
    # Without our own address to look for, any address but the exit's that stands for a client is taken for it.
    if own is None and any(_address(headers.get(name)) not in {None, address} for name in _ADDRESSES):
        return "transparent"
    return "anonymous" if any(name in headers for name in _TELLING) else "elite"


def seen(proxy: Proxy, result: ProbeResult, now: datetime) -> str | None:
    """Write down what a check saw; the exit before, when it has changed and the proxy is not known to rotate."""
    proxy.latencies = [*(proxy.latencies or []), result.latency_ms if result.ok else None][-RECENT:]
    if not result.ok:
        failed(proxy, result.reason, now)
        return None
    succeeded(proxy, result.latency_ms, now)
    if result.exit is None:
        return None
    proxy.anonymity = result.exit.anonymity
    before, proxy.exit_ip = proxy.exit_ip, result.exit.ip
    if before == result.exit.ip:
        return None
    proxy.exits = [*(proxy.exits or []), {"ip": result.exit.ip, "at": now.isoformat()}][-RECENT:]
    if len({entry["ip"] for entry in proxy.exits}) >= _ROTATES_FROM:
        proxy.rotating = True
    return None if proxy.rotating else before


def located(proxy: Proxy, place: Place) -> None:
    """Fill in where a proxy is; what a person said stays."""
    if not proxy.located and any((proxy.country, proxy.city, proxy.isp)):
        return
    if place != Place():
        proxy.country, proxy.city, proxy.isp, proxy.located = place.country, place.city, place.isp, True


def _address(told: object) -> str | None:
    """The first address in a text such as `for="[2001:db8::1]:80", 10.0.0.1`."""
    if not isinstance(told, str):
        return None
    first = told.split(",")[0].split(";")[0].strip().removeprefix("for=").strip('"')
    bare = first[1:].partition("]")[0] if first.startswith("[") else first
    for text in (bare, bare.rpartition(":")[0]):
        try:
            return str(ipaddress.ip_address(text))
        except ValueError:
            continue
    return None
