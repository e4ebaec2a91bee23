"""Locks within a transaction, for who decides by what he reads.

On SQLite a transaction that writes is alone, so these cost nothing there. On PostgreSQL several run at once: a row that
was read may be another one at the commit unless it is locked. Lock parents before children where a transaction needs
several rows, and rows of one table in the order of their keys: else two transactions wait for one another, and one of
them fails with Unavailable after a second.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Any, Final, TypeVar

from sqlalchemy import BigInteger, Select, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncSession

WRITES: Final = "xget.writes"
"""Set in the `info` of sessions of `Database.transaction()`."""
_Query = TypeVar("_Query", bound=Select[Any])
_IN_TURN: Final = select(
    func.pg_advisory_xact_lock(func.hashtextextended(func.current_schema(), bindparam("slot", type_=BigInteger)))
)


def locked(session: AsyncSession, query: _Query) -> _Query:
    """`query` with its rows locked until the transaction's end, if it is one that writes; in `read()` unchanged.

    Rows that refer to the locked ones can still be inserted.
    """
    return query.with_for_update(key_share=True) if writes(session) else query


def writes(session: AsyncSession) -> bool:
    """Whether the session is of a `transaction()`."""
    return bool(session.info.get(WRITES))


async def in_turn(session: AsyncSession, *words: str) -> None:
    """Wait until no other transaction on these tables holds these words; hold them until the end of this one.

    For decisions about rows that are not there yet, "the first user". Not for what happens often. In `read()`
    nothing is waited for.
    """
    if is_postgres(session) and writes(session):
        digest = blake2b("\x1f".join(words).encode(), digest_size=8).digest()
        await session.execute(_IN_TURN, {"slot": int.from_bytes(digest, "big", signed=True)})


def is_postgres(session: AsyncSession) -> bool:
    """Whether the session is on PostgreSQL."""
    return session.get_bind().dialect.name == "postgresql"
