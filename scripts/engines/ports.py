"""Free loopback ports outside the range that the system lends to clients, so that a restart finds its port free."""

from __future__ import annotations

import json
import random
import socket

from engines.engine import LOOPBACK
from engines.errors import EngineError
from engines.places import cache, running

RANGE = range(20_000, 32_000)


def free(count: int) -> list[int]:
    """Ports that nobody listens on and no set has been given. Call it under the lock of ports."""
    taken = _given()
    for _ in range(200):
        start = random.choice(RANGE)
        block = list(range(start, start + count))
        if not taken & set(block) and all(_is_free(port) for port in block):
            return block
    raise EngineError("No free port between 20000 and 32000 on loopback. Stop some: make engines-stop")


def _given() -> set[int]:
    found: set[int] = set()
    for path in (path for folder in {cache() / "run", running()} for path in folder.glob("*/*/state.json")):
        try:
            found.update(json.loads(path.read_text("utf-8"))["ports"])
        except (OSError, ValueError, TypeError, KeyError):
            continue  # a damaged state has no ports to keep
    return found


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
