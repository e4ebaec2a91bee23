"""Whole files, for what is embedded in the target too: an exact copy, all of it or nothing."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

from xget_kernel.errors import StartupError
from xget_standalone.migration.progress import Progress, Watch
from xget_standalone.migration.report import Line
from xget_standalone.migration.source import connect
from xget_standalone.migration.steps import Sum

_PAGES: Final = 2000


class FileStep:
    """Copies a SQLite file into the target's home."""

    def __init__(self, concern: str, source: sqlite3.Connection, target: Path) -> None:
        self.line = Line(concern=concern, name=target.name)
        self._source = source
        self._target = target

    async def measure(self) -> None:
        self.line.source = await asyncio.to_thread(lambda: sum(1 for _ in _rows(self._source)))

    async def move(self, progress: Progress, watch: Watch) -> None:
        mark = progress.mark(self.line.name)
        if not mark.done:
            if self._target.exists() and not mark.after:
                raise StartupError(
                    f"{self._target} is there already, and embedded files are not merged: empty the target's home, or "
                    "select a real engine for it."
                )
            mark.after = "copying"
            progress.save()
            await asyncio.to_thread(self._copy)
            watch(self.line.name, self.line.source, self.line.source)
            mark.done, mark.moved = True, self.line.source
            progress.save()
        self.line.moved = mark.moved

    def _copy(self) -> None:
        draft = self._target.with_name(f".{self._target.name}.moving")
        try:
            draft.unlink(missing_ok=True)
            with closing(sqlite3.connect(draft)) as copy:
                self._source.backup(copy, pages=_PAGES)
                copy.execute("PRAGMA journal_mode=WAL")
            draft.replace(self._target)
        except (sqlite3.Error, OSError) as error:
            raise StartupError(
                f"{self._target} cannot be written ({error}): make room there, then run the same command again."
            ) from error

    async def verify(self, watch: Watch) -> None:
        await asyncio.to_thread(self._verify)

    def _verify(self) -> None:
        if not self._target.exists():
            self.line.differs(self._target.name)
        else:
            with closing(connect(self._target)) as copy:
                ours, theirs = _sums(self._source), _sums(copy)
            for table in sorted(ours.keys() | theirs.keys()):
                if ours.get(table) != theirs.get(table):
                    self.line.differs(table)
            self.line.source_hash, self.line.target_hash = _whole(ours), _whole(theirs)
        self.line.verified = not self.line.problems


def _tables(connection: sqlite3.Connection) -> list[str]:
    sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
    return [name for (name,) in connection.execute(sql)]


def _rows(connection: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    for table in _tables(connection):
        for row in connection.execute(f'SELECT * FROM "{table}"'):  # noqa: S608 - a name out of the schema
            yield table, repr(row)


def _sums(connection: sqlite3.Connection) -> dict[str, str]:
    sums: dict[str, Sum] = {}
    for table, row in _rows(connection):
        sums.setdefault(table, Sum()).add(table, row.encode("utf-8", "surrogatepass"))
    return {table: found.hex() for table, found in sums.items()}


def _whole(sums: dict[str, str]) -> str:
    whole = Sum()
    for table, found in sums.items():
        whole.add(table, found.encode())
    return whole.hex()
