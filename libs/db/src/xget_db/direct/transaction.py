"""One transaction of prepared statements."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from xget_db.direct.prepared import Build, Statements
from xget_db.direct.senders import Sender, Step

Rows = list[tuple[Any, ...]]
Said = tuple[Build, Mapping[str, Any]]
"""A statement and its values."""
_COMMIT: Final[Step] = ("COMMIT", ())


class Direct:
    """Statements of `Database.directly()`. There is no session: rows are tuples, and no hook of one is called."""

    def __init__(self, sender: Sender, statements: Statements, *, postgres: bool, single: bool = False) -> None:
        """`single`: each statement lasts when it is done."""
        self._sender = sender
        self._single = single
        self._prepare, self._join = statements.prepare, statements.join
        self._waiting: list[Step] = [] if single else [(sender.begin, ())]
        self._begun = False
        self._told: list[Callable[[], None]] = []
        self.postgres = postgres

    @property
    def is_open(self) -> bool:
        """Whether something was begun that neither lasts nor is forgotten."""
        return self._begun

    async def rows(self, build: Build, values: Mapping[str, Any]) -> Rows:
        """What a statement finds, after all that was said before it."""
        prepared = self._prepare(build)
        steps = [*self._waiting, (prepared.text, prepared.arguments(values))]
        self._waiting = []
        self._begun = not self._single
        return prepared.rows(await self._sender.send(steps))

    async def rows_together(self, *said: Said) -> Rows:
        """What the last of these statements finds, which PostgreSQL is told as one; only there.

        The last may ask for what the n-th found as the table `s<n>`, from 0 on.
        """
        prepared = self._prepare(said[-1][0])
        steps = [*self._waiting, self._one(said)]
        self._waiting = []
        self._begun = not self._single
        return prepared.rows(await self._sender.send(steps))

    def later(self, build: Build, values: Mapping[str, Any]) -> None:
        """Do it before the next look or the commit, whichever comes first: it costs no way to the driver of its own."""
        prepared = self._prepare(build)
        self._waiting.append((prepared.text, prepared.arguments(values)))

    def together(self, *said: Said) -> None:
        """As `later`, for statements that have no row in common: PostgreSQL is told them as one.

        Only the last of them may be a SELECT.
        """
        if not self.postgres or len(said) == 1:
            for build, values in said:
                self.later(build, values)
            return
        self._waiting.append(self._one(said))

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Call it once all is on the disk; a rollback forgets it."""
        self._told.append(callback)

    async def commit(self) -> None:
        """Do what waits, and make all of it last."""
        least = 0 if self._single else 1
        if self._begun or len(self._waiting) > least:
            steps, self._waiting = [*self._waiting, *([] if self._single else [_COMMIT])], []
            self._begun = not self._single
            await self._sender.send(steps)
            self._begun = False

    def tell(self) -> None:
        """Call those who wait for the commit."""
        for callback in self._told:
            callback()

    async def rollback(self) -> None:
        """Leave all as it was."""
        if self._begun:
            await self._sender.rollback()
            self._begun = False

    def _one(self, said: Sequence[Said]) -> Step:
        arguments: list[Any] = []
        for build, values in said:
            arguments += self._prepare(build).arguments(values)
        return self._join(tuple(build for build, _ in said)), arguments
