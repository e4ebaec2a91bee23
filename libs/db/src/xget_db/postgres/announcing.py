"""What a transaction that emits does before it commits."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sqlalchemy import ARRAY, BigInteger, String, bindparam, text
from sqlalchemy.orm import Session

from xget_db.postgres.address import Address

_SLOTS: Final = 256
"""Locks of keys: as many as a transaction needs at most, so that the server's table of locks cannot overflow."""
_LOCK_AND_NOTIFY: Final = text(
    "SELECT pg_advisory_xact_lock(slot), pg_notify(:channel, :origin) FROM unnest(:slots) AS slot"
).bindparams(
    bindparam("slots", type_=ARRAY(BigInteger)), bindparam("channel", type_=String), bindparam("origin", type_=String)
)


class Announcing:
    """Locks the keys, so that the ids of a key's rows grow in the order of their commits, and rings at the commit.

    It comes after all other work of the transaction, and locks in one order: it can wait, but not for ever.
    """

    def __init__(self, address: Address, origin: str) -> None:
        self._address = address
        self._origin = origin

    def __call__(self, session: Session, keys: Iterable[tuple[str, str]]) -> None:
        session.flush()
        base = self._address.slot("emit") & ~(_SLOTS - 1)
        slots = sorted({base | (self._address.slot("emit", *key) & (_SLOTS - 1)) for key in keys})
        values = {"slots": slots, "channel": self._address.channel, "origin": self._origin}
        session.execute(_LOCK_AND_NOTIFY, values)
