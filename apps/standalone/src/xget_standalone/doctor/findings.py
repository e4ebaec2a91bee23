"""What a check-up finds."""

from __future__ import annotations

from typing import Any, Literal

import msgspec


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at. Whoever is wrong says how to mend it."""

    area: Literal["engine", "migrations", "lag", "dead letters", "outbox", "keys", "home", "clock", "service"]
    name: str
    state: Literal["ok", "idle", "wrong"]
    """`idle`: there is nothing yet, or it does not run; that is no fault."""
    engine: str = ""
    address: str = ""
    """Without credentials."""
    version: str = ""
    latency_ms: float | None = None
    says: str = ""
    advice: str = ""
    facts: dict[str, Any] = {}
