"""The rows that hold secrets, a piece at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import (
    ColumnClause,
    ColumnElement,
    Select,
    TableClause,
    and_,
    bindparam,
    not_,
    or_,
    select,
    table,
    update,
)
from sqlalchemy import column as named
from sqlalchemy.ext.asyncio import AsyncSession

from xget_db.locks import locked
from xget_db.ordering import in_bytes
from xget_db.sealed.columns import Sealed
from xget_kernel.secrets import Keyring, SecretUnreadable

NAMED_ROWS: Final = 20
"""Rows that a piece names at most; all are counted."""
NO_KEY: Final = "none"
"""Stands for the key of something that is no ciphertext."""


@dataclass(frozen=True)
class Place:
    """The last row that was looked at: number of its table in the list, and its key."""

    number: int = 0
    key: str = ""


@dataclass
class Count:
    """Secrets of one column that one key wrote."""

    table: str
    column: str
    key_id: str
    rows: int = 0
    unreadable: int = 0


@dataclass(frozen=True)
class Unreadable:
    """A secret that the keyring cannot open."""

    table: str
    id: str
    column: str
    key_id: str
    reason: str


@dataclass
class Piece:
    """What was found in some rows."""

    counts: dict[tuple[str, str, str], Count] = field(default_factory=dict)
    """By table, column and key."""
    unreadable: list[Unreadable] = field(default_factory=list)
    """Some of them."""
    rows: int = 0
    changed: int = 0
    """Secrets that were written anew."""
    next: Place | None = None
    """Where to go on; None at the end."""

    def add(self, sealed: Sealed, column: str, token: str) -> Count:
        """Count a secret."""
        key_id = key_id_of(token)
        count = self.counts.setdefault(
            (sealed.table, column, key_id), Count(table=sealed.table, column=column, key_id=key_id)
        )
        count.rows += 1
        return count

    def lacks(self, sealed: Sealed, key: str, column: str, token: str, error: SecretUnreadable) -> None:
        """Note a secret that does not open."""
        if len(self.unreadable) < NAMED_ROWS:
            self.unreadable.append(Unreadable(sealed.table, key, column, key_id_of(token), error.detail))


class SealedRows:
    """The secrets of one service, within one transaction for each piece."""

    def __init__(self, session: AsyncSession, tables: Sequence[Sealed], ring: Keyring) -> None:
        self._session = session
        self._tables = tables
        self._ring = ring

    async def check(self, after: Place, limit: int) -> Piece:
        """Open each secret of the next `limit` rows and count by which key it was written."""
        sealed = self._tables[after.number]
        rows = await self._rows(_rows_of(sealed), sealed, after, limit)
        piece = Piece(rows=len(rows), next=self._next(sealed, after, rows, limit))
        for key, column, token in _tokens(sealed, rows):
            count = piece.add(sealed, column, token)
            try:
                self._ring.decrypt(token, aad=sealed.place(key, column))
            except SecretUnreadable as error:
                count.unreadable += 1
                piece.lacks(sealed, key, column, token, error)
        return piece

    async def reencrypt(self, after: Place, limit: int) -> Piece:
        """Write the secrets of the next `limit` rows anew that another key wrote than the newest.

        Each is read back before the transaction ends; one that does not come back the same undoes the piece. What
        cannot be opened stays as it is. Raises SecretUnreadable.
        """
        sealed, newest = self._tables[after.number], self._ring.newest
        late = or_(*(_written_by_another(_table(sealed).c[column], newest) for column in sealed.columns))
        query = locked(self._session, _rows_of(sealed).where(late))
        rows = await self._rows(query, sealed, after, limit)
        piece = Piece(rows=len(rows), next=self._next(sealed, after, rows, limit))
        made = {str(row[sealed.key]): self._anew(sealed, row, piece) for row in rows}
        await self._write(
            sealed, {key: {c: fresh for c, (fresh, _) in new.items()} for key, new in made.items() if new}
        )
        await self._read_back(sealed, made)
        piece.changed = sum(map(len, made.values()))
        return piece

    def _anew(self, sealed: Sealed, row: Mapping[str, Any], piece: Piece) -> dict[str, tuple[str, str]]:
        """Fresh ciphertext and plain text of each secret of a row that another key wrote."""
        key, made = str(row[sealed.key]), dict[str, tuple[str, str]]()
        for _, column, token in _tokens(sealed, [row]):
            if self._ring.is_current(token):
                continue
            count, place = piece.add(sealed, column, token), sealed.place(key, column)
            try:
                plain = self._ring.decrypt(token, aad=place)
            except SecretUnreadable as error:
                count.unreadable += 1
                piece.lacks(sealed, key, column, token, error)
            else:
                made[column] = self._ring.encrypt(plain, aad=place), plain
        return made

    async def _write(self, sealed: Sealed, rows: Mapping[str, Mapping[str, str]]) -> None:
        """Nobody else has changed them since they were read: they are locked, or this is the only writer."""
        of = _table(sealed)
        for columns in {tuple(row) for row in rows.values()}:
            values: dict[str, Any] = {column: bindparam(f"new_{column}") for column in columns}
            change = update(of).where(of.c[sealed.key] == bindparam("the_key")).values(values)
            same = [(key, row) for key, row in rows.items() if tuple(row) == columns]
            given = [{"the_key": key, **{f"new_{c}": token for c, token in row.items()}} for key, row in same]
            await self._session.execute(change, given)

    async def _read_back(self, sealed: Sealed, made: Mapping[str, Mapping[str, tuple[str, str]]]) -> None:
        changed = [key for key, new in made.items() if new]
        query = _rows_of(sealed).where(_table(sealed).c[sealed.key].in_(changed))
        rows = {str(row[sealed.key]): row for row in (await self._session.execute(query)).mappings()}
        for key in changed:
            for column, (_, plain) in made[key].items():
                if self._ring.decrypt(rows[key][column], aad=sealed.place(key, column)) != plain:
                    raise SecretUnreadable(
                        f"{sealed.table} {key} does not come back as it was written: nothing of it was changed."
                    )

    async def _rows(self, query: Select[Any], sealed: Sealed, after: Place, limit: int) -> Sequence[Mapping[str, Any]]:
        key = in_bytes(_table(sealed).c[sealed.key])
        ordered = query.where(key > after.key).order_by(key).limit(limit)
        return [dict(row) for row in (await self._session.execute(ordered)).mappings()]

    def _next(self, sealed: Sealed, after: Place, rows: Sequence[Mapping[str, Any]], limit: int) -> Place | None:
        if len(rows) == limit:
            return Place(after.number, str(rows[-1][sealed.key]))
        return Place(after.number + 1) if after.number + 1 < len(self._tables) else None


def key_id_of(token: str) -> str:
    """The key that wrote a ciphertext."""
    parts = token.split(":", 2)
    return parts[1] if len(parts) == 3 and parts[0] == "v1" else NO_KEY


@lru_cache(maxsize=64)
def _table(sealed: Sealed) -> TableClause:
    return table(sealed.table, named(sealed.key), *(named(column) for column in sealed.columns))


def _rows_of(sealed: Sealed) -> Select[Any]:
    return select(_table(sealed))


def _written_by_another(column: ColumnClause[Any], newest: str) -> ColumnElement[bool]:
    return and_(column.is_not(None), not_(column.startswith(f"v1:{newest}:", autoescape=True)))


def _tokens(sealed: Sealed, rows: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, str]]:
    return [
        (str(row[sealed.key]), column, row[column])
        for row in rows
        for column in sealed.columns
        if row[column] is not None
    ]
