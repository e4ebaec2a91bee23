"""Events that wait in a session for its commit, and are forgotten with what is rolled back."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from sqlalchemy import Table, event
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from sqlalchemy.orm import Session, SessionTransaction

_PENDING: Final = "xget.outbox.pending"
_EMITTED: Final = "xget.outbox.emitted"

Announce = Callable[[Session, Iterable[tuple[str, str]]], None]
"""Called with the (topic, key) of all that is emitted, before its rows are written."""
Pending = tuple[SessionTransaction | None, Table, dict[str, Any]]


def add(session: Session, table: Table, row: dict[str, Any]) -> None:
    """Insert `row` into the outbox `table` when the session commits."""
    if not session.in_transaction():
        session.begin()  # else a rollback would have nothing to tell us of
    session.info.setdefault(_PENDING, []).append((session.get_nested_transaction(), table, row))


def send_with_commit(
    sessions: async_sessionmaker[AsyncSession], ring: Callable[[], None], announce: Announce | None = None
) -> None:
    """Write what waits with each commit of these sessions, and `ring` after such a commit."""
    kind = sessions.kw["sync_session_class"]

    def write(session: Session) -> None:
        _write(session, announce)

    event.listen(kind, "before_commit", write)
    event.listen(kind, "after_soft_rollback", _forget)

    def rang(session: Session) -> None:
        if session.info.pop(_EMITTED, False):
            ring()

    event.listen(kind, "after_commit", rang)


def _write(session: Session, announce: Announce | None) -> None:
    if session.in_nested_transaction() or not session.info.get(_PENDING):
        return
    waiting: list[Pending] = session.info.pop(_PENDING)
    table = waiting[0][1]
    if announce is not None:
        announce(session, {(row["topic"], row["key"]) for _, _, row in waiting})
    session.execute(table.insert(), [row for _, _, row in waiting])
    session.info[_EMITTED] = True


def _forget(session: Session, previous: SessionTransaction) -> None:
    """Drop what was emitted within `previous`, a savepoint or the whole transaction."""
    if previous.parent is None:
        session.info.pop(_PENDING, None)
        session.info.pop(_EMITTED, None)
        return
    waiting: list[Pending] = session.info.get(_PENDING, [])
    waiting[:] = [entry for entry in waiting if not _within(entry[0], previous)]


def _within(inner: SessionTransaction | None, outer: SessionTransaction) -> bool:
    while inner is not None:
        if inner is outer:
            return True
        inner = inner.parent
    return False
