"""Which addresses lie inside the operator's own network. Pure."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from xget_kernel.errors import StartupError
from xget_proxy.schemas import host_or_none

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_SETTING: Final = "XGET_PROXY_ALLOW_NETWORKS"
_ALSO_INSIDE: Final = (
    ipaddress.ip_network("168.63.129.16/32"),  # Azure's own services, at an address that looks public
    ipaddress.ip_network("fec0::/10"),  # site-local, of old
    ipaddress.ip_network("64:ff9b:1::/48"),  # translation for local use
    ipaddress.ip_network("::/96"),  # IPv4 in IPv6, of old
)
_INSIDE_NAMES: Final = ("localhost", "local", "localdomain", "internal", "intranet", "lan", "home", "corp", "home.arpa")


@dataclass(frozen=True)
class Allowed:
    """What the operator allows in spite of it: networks and names."""

    networks: tuple[Network, ...] = ()
    names: frozenset[str] = frozenset()

    @staticmethod
    def parse(setting: str) -> Allowed:
        """Networks, addresses and names, separated by commas. Raises StartupError."""
        networks: list[Network] = []
        names = set()
        for part in filter(None, (part.strip() for part in setting.split(","))):
            try:
                networks.append(ipaddress.ip_network(part.strip("[]"), strict=False))
                continue
            except ValueError:
                name = host_or_none(part)
            if name is None or literal(name) is not None:
                raise StartupError(
                    f"{_SETTING} holds {part!r}: write networks (10.0.0.0/8), addresses and host names with commas "
                    "between them."
                )
            names.add(name)
        return Allowed(tuple(networks), frozenset(names))

    def address(self, address: Address) -> bool:
        """Whether an address is in one of the networks; IPv4 inside IPv6 counts as IPv4."""
        plain = getattr(address, "ipv4_mapped", None) or address
        return any(plain in network for network in self.networks if network.version == plain.version)


def literal(host: str) -> Address | None:
    """The address that a host is written as, in any form that connecting understands (also `0x7f.1`)."""
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        pass  # may still be one of the old forms
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host)) if not host[-1:].isspace() else None
    except (OSError, ValueError):
        return None


def inside(address: Address) -> bool:
    """Whether an address is private, loopback, link-local, shared (CGNAT), multicast, reserved, of a cloud's own
    services, or carries one that is (IPv4-mapped, 6to4, Teredo, NAT64, ISATAP)."""
    if not address.is_global or address.is_multicast:
        return True
    if any(address in network for network in _ALSO_INSIDE if network.version == address.version):
        return True
    return isinstance(address, ipaddress.IPv6Address) and any(inside(carried) for carried in _carried(address))


def inside_name(name: str) -> bool:
    """Whether a name is one of a local network whatever it resolves to: without a dot, or under `.local` and others."""
    plain = name.rstrip(".").lower()
    return "." not in plain or any(plain == own or plain.endswith(f".{own}") for own in _INSIDE_NAMES)


def _carried(address: ipaddress.IPv6Address) -> Iterator[ipaddress.IPv4Address]:
    """IPv4 addresses to which packets for this one may be sent on."""
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo
    whole = int(address)
    if address in ipaddress.ip_network("64:ff9b::/96") or (whole >> 32) & 0xFFFFFFFF in {0x5EFE, 0x02005EFE}:
        yield ipaddress.IPv4Address(whole & 0xFFFFFFFF)
