"""Which keys wrote what is stored, told by the database without opening anything.

A database groups by sorting, and SQLite sorts in memory: a million secrets would take a hundred megabytes. So the keys
are looked for first and counted by name, in a pass over the table for all of its columns.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnClause, ColumnElement, Select, and_, case, column, func, null, or_, select, table
from sqlalchemy.ext.asyncio import AsyncSession

from xget_db.locks import is_postgres
from xget_db.sealed.columns import Sealed
from xget_db.sealed.rows import NO_KEY, Count


async def counted(session: AsyncSession, tables: Sequence[Sealed], known: Collection[str] = ()) -> list[Count]:
    """How many secrets of each column each key wrote; nothing is counted as unreadable.

    `known` are keys that are likely there: each that is not among them costs another pass.
    """
    found = list[Count]()
    for sealed in tables:
        keys = sorted({*known})
        while True:
            row = (await session.execute(_pass(sealed, keys, postgres=is_postgres(session)))).one()
            others = {*row[-len(sealed.columns) :]} - {None, *keys}
            if not others:
                break
            keys += sorted(others)
        places = [(name, key) for name in sealed.columns for key in keys]
        counts = zip(places, row, strict=False)
        found += [Count(table=sealed.table, column=name, key_id=key, rows=n) for (name, key), n in counts if n]
    return found


def _pass(sealed: Sealed, keys: Sequence[str], *, postgres: bool) -> Select[Any]:
    """For each column the secrets of each key; then for each column one key that is not among them."""
    tokens: list[ColumnClause[Any]] = [column(name) for name in sealed.columns]
    numbers = [func.count(case((_wrote(key, token), 1))) for token in tokens for key in keys]
    others = [func.min(_other(token, keys, postgres=postgres)) for token in tokens]
    wanted: Sequence[ColumnElement[Any]] = (*numbers, *others)
    return select(*wanted).select_from(table(sealed.table, *tokens))


def _other(token: ColumnElement[Any], keys: Sequence[str], *, postgres: bool) -> ColumnElement[Any]:
    unsaid = or_(token.is_(None), *(_wrote(key, token) for key in keys))
    return case((unsaid, null()), else_=_key_id(token, postgres=postgres))


def _wrote(key: str, token: ColumnElement[Any]) -> ColumnElement[bool]:
    if key == NO_KEY:
        return and_(token.is_not(None), ~_named(token))
    prefix = f"v1:{key}:"
    return func.substr(token, 1, len(prefix)) == prefix


def _key_id(token: ColumnElement[Any], *, postgres: bool) -> ColumnElement[Any]:
    """The second part of `v1:<key id>:…`."""
    rest = func.substr(token, 4)
    inner = func.split_part(token, ":", 2) if postgres else func.substr(rest, 1, func.instr(rest, ":") - 1)
    return case((_named(token), inner), else_=NO_KEY)


def _named(token: ColumnElement[Any]) -> ColumnElement[bool]:
    return and_(func.substr(token, 1, 3) == "v1:", token.like("___%:%"))
