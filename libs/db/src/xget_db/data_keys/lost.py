"""Secrets that are stored while none of the keys is there: told before a new key is made beside them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import inspect
from sqlalchemy.exc import NoSuchTableError
from sqlalchemy.orm import Session

from xget_db.engine import Database
from xget_db.sealed import Count, Sealed, counted
from xget_kernel.errors import StartupError

_SHOWN = 12
"""Columns that the sentence names."""


async def stored(database: Database, tables: Sequence[Sealed]) -> list[Count]:
    """How many secrets each key wrote, in those tables and columns that are there: also before a migration."""
    async with database.read() as session:
        return await counted(session, await session.run_sync(_there, tables))


async def there(database: Database, tables: Sequence[Sealed]) -> list[Sealed]:
    """Those tables and columns that are there: before a migration fewer than the code knows."""
    async with database.read() as session:
        return await session.run_sync(_there, tables)


def lost_keys(counts: Sequence[Count], where: str) -> StartupError:
    """That keys are gone which what is stored needs: which wrote what, and what to do. `where` says what is gone."""
    by_key: dict[str, list[Count]] = {}
    for count in counts:
        by_key.setdefault(count.key_id, []).append(count)
    wrote = "; ".join(f"the key {key_id} wrote {_told(of)}" for key_id, of in by_key.items())
    return StartupError(
        f"{where}, and {sum(count.rows for count in counts)} secrets are stored that need what was in it: {wrote}. "
        "No new key was made and nothing was changed. Put it back from a backup (or set XGET_KEYS, XGET_KEYS_FILE or "
        "--home to where it is), then start again. Without a backup: `xget keys lost` names the rows, and with "
        "--begin-anew goes on without these secrets."
    )


def _told(counts: Sequence[Count]) -> str:
    told = [f"{count.table}.{count.column} {count.rows}" for count in counts[:_SHOWN]]
    return ", ".join(told) + (", …" if len(counts) > _SHOWN else "")


def _there(session: Session, tables: Sequence[Sealed]) -> list[Sealed]:
    found, look = list[Sealed](), inspect(session.connection())
    for sealed in tables:
        try:
            names = {column["name"] for column in look.get_columns(sealed.table)}
        except NoSuchTableError:
            continue
        if columns := tuple(name for name in sealed.columns if name in names):
            found.append(Sealed(sealed.table, columns, sealed.key))
    return found
