"""Keys in a table: every process of the service reads it, and changes take turns."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any, Final

from sqlalchemy import MetaData, delete, insert, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from xget_db.data_keys.table import data_keys_table
from xget_db.engine import Database
from xget_db.locks import in_turn
from xget_kernel.errors import Full, Unavailable
from xget_kernel.keys import KekTrouble, KeyFile, KeysUnavailable, Retired, Wrapping

_TABLE: Final = data_keys_table(MetaData())


class InTable:
    """The table `data_keys`. A change is one transaction: after kill -9 it is there whole or not at all."""

    name = "table"
    followed = True
    trouble: str | None = None

    def __init__(self, database: Database, wrapping: Wrapping) -> None:
        self._database = database
        self.wrapping = wrapping

    async def read(self) -> KeyFile:
        """The keys of the table, none at all perhaps. Raises KeysUnavailable (503)."""
        try:
            async with self._database.read() as session:
                return await _read(session)
        except (Unavailable, SQLAlchemyError, OSError) as error:
            raise KeysUnavailable(f"The table data_keys cannot be read: {_why(error)}") from error

    async def change(self, how: Callable[[KeyFile], KeyFile]) -> None:
        try:
            async with self._database.transaction() as session:
                await in_turn(session, "data_keys")
                before = await _read(session)
                after = await asyncio.to_thread(how, before)
                if after != before:
                    await _write(session, after)
        except KekTrouble as error:
            raise KeysUnavailable(str(error)) from error
        except (Unavailable, Full, SQLAlchemyError, OSError) as error:
            raise KeysUnavailable(f"The table data_keys cannot be written: {_why(error)}") from error


async def _read(session: AsyncSession) -> KeyFile:
    rows = (await session.execute(select(_TABLE).order_by(_TABLE.c.position))).mappings().all()
    live = {row["id"]: row["wrapped"] for row in rows if row["retired_at"] is None}
    away = {row["id"]: Retired(row["retired_at"], wrapped=row["wrapped"]) for row in rows if row["retired_at"]}
    return KeyFile(wrapped=live, retired=away)


async def _write(session: AsyncSession, file: KeyFile) -> None:
    if file.keys:
        raise KeysUnavailable("A key in plain text is not written to a table: set XGET_KEK or XGET_VAULT_URL.")
    await session.execute(delete(_TABLE))
    await session.execute(insert(_TABLE), [*_rows(file)])


def _rows(file: KeyFile) -> Iterator[dict[str, Any]]:
    away = [(k, one.wrapped, one.at) for k, one in file.retired.items()]
    live = [(k, token, None) for k, token in file.wrapped.items()]
    for position, (key_id, wrapped, retired_at) in enumerate((*away, *live)):
        yield {"id": key_id, "position": position, "wrapped": wrapped, "retired_at": retired_at}


def _why(error: Exception) -> str:
    return str(error) if isinstance(error, (Unavailable, Full)) else type(error).__name__
