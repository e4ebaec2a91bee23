"""Rings when a change of accounts may have made room: whoever makes it, by whichever session of the database."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import event
from sqlalchemy.orm import Session, attributes

from xget_account.models import Account
from xget_account.repository.room import pool_of
from xget_db.bells import Bell
from xget_db.engine import Database

NAME: Final = "room"
WATCHED: Final = frozenset({"status", "cookies", "active", "daily_budget", "rest_until", "platform"})
"""Columns whose change may let an account work again."""


def room_bell(database: Database) -> Bell:
    """The bell of those who wait for accounts, rung by every new or mended account that is written through `database`.

    Leases that are given back ring it by themselves; rests and leases that end ring nothing: who waits knows when.
    """
    bell = Bell(database, NAME)

    def note(session: Session, _context: Any) -> None:
        changed = {each for each in session.dirty if isinstance(each, Account) and _matters(each)}
        changed |= {each for each in session.new if isinstance(each, Account)}
        if changed:
            bell.ring_with(session, {pool_of(account.owner_id, account.platform) for account in changed})

    event.listen(database.sessions.kw["sync_session_class"], "after_flush", note)
    return bell


def _matters(account: Account) -> bool:
    return not WATCHED.isdisjoint(attributes.instance_state(account).committed_state)
