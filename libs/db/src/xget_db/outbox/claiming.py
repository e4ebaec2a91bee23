"""Which rows a relay may carry when several run on one PostgreSQL.

Plain `SKIP LOCKED` breaks the order within a key: two relays would take neighbouring rows. So a relay takes whole
keys, by an advisory lock that ends with its transaction, and reads their rows after it has the lock. Those who emit
hold another lock of the key from before the row's id is given until the commit: a key's rows appear in the order of
their ids, so what is visible of it has no gaps.

After kill -9 of a relay between publishing and deleting, its rows are still there and its locks are free: they are sent
again, in order. Nothing is lost, and no key is reordered.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ARRAY, BigInteger, Row, String, Table, any_, bindparam, delete, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from xget_db.outbox.refused import Aside
from xget_db.postgres.address import Address

BATCH: Final = 500
_MOST_KEYS: Final = 100
_MOST_WINDOWS: Final = 20
_PUBLISHING_SECONDS: Final = 300
_SEPARATOR: Final = "\x1f"
_TRY: Final = text(
    "SELECT slot, set_config('idle_in_transaction_session_timeout', :patience, true) "
    "FROM unnest(:slots) AS slot WHERE pg_try_advisory_xact_lock(slot)"
).bindparams(bindparam("slots", type_=ARRAY(BigInteger)), bindparam("patience", type_=String))


class Claims:
    """Takes rows within a transaction that publishes and deletes them."""

    def __init__(self, table: Table, address: Address) -> None:
        self._table = table
        self._address = address
        self._waiting = Aside(table).waiting
        self._name = table.c.topic.concat(_SEPARATOR).concat(table.c.key)

    async def take(self, session: AsyncSession) -> Sequence[Row[Any]]:
        """The oldest rows of keys that no other relay has, in order; none when there are none."""
        last = 0
        for _ in range(_MOST_WINDOWS):
            window = await self._window(session, last)
            if not window:
                break
            last = window[-1].id
            names = list(dict.fromkeys(row.name for row in window))[:_MOST_KEYS]
            mine = await self._lock(session, names)
            rows = await self._rows(session, mine, last) if mine else ()
            if rows:
                return rows
        return ()

    async def drop(self, session: AsyncSession, numbers: Sequence[int]) -> None:
        """Delete rows that were published."""
        ids = bindparam("ids", numbers, type_=ARRAY(BigInteger))
        await session.execute(delete(self._table).where(self._table.c.id == any_(ids)))

    async def _window(self, session: AsyncSession, after: int) -> Sequence[Row[Any]]:
        query = select(self._table.c.id, self._name.label("name")).where(self._table.c.id > after, self._waiting)
        return (await session.execute(query.order_by(self._table.c.id).limit(BATCH))).all()

    async def _lock(self, session: AsyncSession, names: list[str]) -> list[str]:
        slots = {self._address.slot("relay", name): name for name in names}
        values = {"slots": list(slots), "patience": f"{_PUBLISHING_SECONDS}s"}
        return [slots[slot] for slot, _ in await session.execute(_TRY, values)]

    async def _rows(self, session: AsyncSession, names: list[str], last: int) -> Sequence[Row[Any]]:
        mine = self._name == any_(bindparam("names", names, type_=ARRAY(String)))
        query = select(self._table).where(self._table.c.id <= last, mine, self._waiting)
        return (await session.execute(query.order_by(self._table.c.id).limit(BATCH))).all()
