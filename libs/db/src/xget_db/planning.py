"""Statistics that PostgreSQL plans by, for tables that grow at once.

It counts a table in the background, within a minute. Until then it takes a table that was empty for one of a
few rows, and reads all of a million for each name that is looked up.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import BigInteger, String, bindparam, func, literal_column, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from xget_db.locks import is_postgres

_FEW: Final = 64
"""Pages of a table that any plan will do for."""
_SIZE: Final = select(
    literal_column("relpages", BigInteger),
    func.pg_relation_size(literal_column("oid")) / literal_column("current_setting('block_size')::bigint", BigInteger),
).select_from(text("pg_class"))


async def grown(session: AsyncSession, table: Any) -> bool:
    """After many rows were inserted: on PostgreSQL, count the table anew when it has doubled since it was counted last.

    Whether it was counted. Another one who counts it at this moment is not waited for. On SQLite, whose plans do not
    depend on what is in the tables, nothing happens.
    """
    if not is_postgres(session):
        return False
    name: str = session.get_bind().dialect.identifier_preparer.format_table(table)
    here = _SIZE.where(literal_column("oid") == func.to_regclass(bindparam("name", name, String)))
    counted, now = (await session.execute(here)).one()
    if now < 2 * counted + _FEW:
        return False
    await session.execute(text(f"ANALYZE (SKIP_LOCKED) {name}"))
    return True
