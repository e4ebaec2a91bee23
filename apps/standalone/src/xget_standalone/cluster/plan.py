"""Which processes a cluster on this machine has: names, commands, environments, and the order of their start."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from xget_kernel.errors import StartupError
from xget_standalone.process import LIFELINE
from xget_standalone.services import OFFSETS, WORKER_OFFSET, WORKERS, Addresses
from xget_standalone.single import GATEWAY

MOST_REPLICAS: Final = 16
STATE_FILE: Final = "cluster.json"
"""In the home folder: pid (0 when it does not run), port and starts of each process by its name."""
_ALIASES: Final = {"worker": "scraper"}


class Spec(msgspec.Struct, frozen=True, kw_only=True):
    """One process."""

    name: str
    command: tuple[str, ...]
    env: dict[str, str]
    port: int


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """All processes. They start in this order, each group when the one before is ready, and stop workers first."""

    services: list[Spec]
    workers: list[Spec]
    gateway: Spec


def plan(
    addresses: Addresses,
    home: Path,
    *,
    program: Sequence[str],
    replicas: Mapping[str, int],
    open_mode: bool,
    log_level: str,
    environ: Mapping[str, str],
) -> Plan:
    """The processes, each run by `program` (what starts `xget`); engines are as `environ` selects them."""
    urls = {f"{name.upper()}_SERVICE_URL": addresses.url(name) for name in OFFSETS}
    env = {**environ, **{k: v for k, v in urls.items() if not environ.get(k)}}
    env |= {"XGET_HOME": str(home.resolve()), "XGET_HOST": addresses.host, LIFELINE: "1"}
    env |= {"XGET_OPEN": "1" if open_mode else "0"}
    for name in ("XGET_PORT", "XGET_GRPC_PORT", "XGET_WORKER_PORT", "XGET_REPLICAS"):
        env.pop(name, None)

    def spec(verb: str, service: str, name: str, port: int, count: int = 1) -> Spec:
        command = (*program, verb, service, "--port", str(port), "--log-level", log_level)
        own = {"XGET_REPLICAS": str(count), "XGET_MEMBER": name}
        return Spec(name=name, command=command, env={**env, **own}, port=port)

    workers = [
        spec("worker", name, _numbered(f"{name}-worker", n), addresses.port(name) + WORKER_OFFSET + 10 * n, count)
        for name in WORKERS
        for count in [replicas.get(name, 1)]
        for n in range(count)
    ]
    return Plan(
        services=[spec("serve", name, name, addresses.port(name)) for name in OFFSETS],
        workers=workers,
        gateway=spec("serve", GATEWAY, GATEWAY, addresses.base),
    )


def parse_replicas(text: str) -> dict[str, int]:
    """`worker=2,storage=2` as numbers by service; `worker` is the scraper's. Raises StartupError."""
    found: dict[str, int] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        given, _, count = part.partition("=")
        name = _ALIASES.get(given, given)
        if name not in WORKERS or not count.isdigit() or not 1 <= int(count) <= MOST_REPLICAS:
            raise StartupError(
                f"--replicas does not understand {part!r}: write worker=2,processing=2,storage=2,proxy=1 "
                f"with numbers from 1 to {MOST_REPLICAS}."
            )
        found[name] = int(count)
    return found


def _numbered(name: str, n: int) -> str:
    return f"{name}-{n + 1}" if n else name
