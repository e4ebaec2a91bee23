"""Which keys wrote what is stored, told by the database without opening anything."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, case, column, func, select, table
from sqlalchemy.ext.asyncio import AsyncSession

from xget_db.locks import is_postgres
from xget_db.sealed.columns import Sealed
from xget_db.sealed.rows import NO_KEY, Count


async def counted(session: AsyncSession, tables: Sequence[Sealed]) -> list[Count]:
    """How many secrets of each column each key wrote; nothing is counted as unreadable."""
    found = list[Count]()
    for sealed in tables:
        for name in sealed.columns:
            key_id = _key_id(column(name), postgres=is_postgres(session)).label("key_id")
            of = table(sealed.table, column(name))
            query = select(key_id, func.count()).select_from(of).where(of.c[name].is_not(None)).group_by(key_id)
            found_rows = (await session.execute(query)).all()
            found += [Count(table=sealed.table, column=name, key_id=key, rows=rows) for key, rows in found_rows]
    return found


def _key_id(token: ColumnElement[Any], *, postgres: bool) -> ColumnElement[Any]:
    """The second part of `v1:<key id>:…`."""
    rest = func.substr(token, 4)
    inner = func.split_part(token, ":", 2) if postgres else func.substr(rest, 1, func.instr(rest, ":") - 1)
    return case((token.like("v1:%:%"), inner), else_=NO_KEY)
