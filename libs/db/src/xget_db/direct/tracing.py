"""Statements are told to those who watch the engine, as SQLAlchemy tells its own: traces are whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from xget_db.direct.senders import Sender, Step


class _Statement:
    """What a watcher may keep something at, from the beginning of a statement to its end."""


@dataclass(frozen=True)
class _Failure:
    """What watchers of errors ask for."""

    execution_context: _Statement
    original_exception: Exception


class Traced:
    """A sender that tells of its statements, of each batch as one where they go together."""

    def __init__(self, sender: Sender, connection: Connection) -> None:
        self.begin = sender.begin
        self._sender = sender
        self._connection = connection

    async def send(self, steps: Sequence[Step]) -> Sequence[Sequence[Any]]:
        """As the sender that it has."""
        watchers = self._connection.dispatch
        if not watchers.before_cursor_execute:
            return await self._sender.send(steps)
        text = "; ".join(text for text, _ in steps if text != self.begin) or self.begin
        told = _Statement()
        watchers.before_cursor_execute(self._connection, None, text, (), told, False)
        try:
            found = await self._sender.send(steps)
        except Exception as error:
            self._connection.dialect.dispatch.handle_error(_Failure(told, error))
            raise
        watchers.after_cursor_execute(self._connection, None, text, (), told, False)
        return found

    async def rollback(self) -> None:
        """As the sender that it has."""
        await self._sender.rollback()
