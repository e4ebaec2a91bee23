"""What travels on topics, in the shape every event log understands."""

from __future__ import annotations

import msgspec


class Message(msgspec.Struct, frozen=True, kw_only=False):
    """One message. Messages of one topic and key keep their order."""

    topic: str
    key: str
    value: bytes
    """The body as JSON."""
    headers: dict[str, str] = msgspec.field(default_factory=dict)
