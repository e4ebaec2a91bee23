"""Rings when a change of accounts may have made room: whoever makes it, by whichever session of the database."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session, attributes

from xget_account.models import GRANTS, HEALTHY, OUTBOX, Account
from xget_account.repository.room import pool_of
from xget_contracts.events import ACCOUNT_EVENTS, AccountChanged
from xget_db.bells import Bell
from xget_db.engine import Database
from xget_db.grants import grantees_of
from xget_db.outbox import emit_with
from xget_kernel.clock import Clock

NAME: Final = "room"
SOURCE: Final = "account"
WATCHED: Final = frozenset({"status", "cookies", "active", "daily_budget", "rest_until", "platform"})
"""Columns whose change may let an account work again."""
_OPENED: Final = "xget_account.opened"
_MADE: Final = "xget_account.made"


@dataclass(frozen=True, slots=True)
class Made:
    """A new account that was written as a row, past the session."""

    id: str
    owner_id: str
    platform: str
    username: str
    status: str
    works: bool

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Made:
        """From the row that was written."""
        works = row["active"] and row["status"] in HEALTHY and row["cookies"] is not None
        return cls(row["id"], row["owner_id"], row["platform"], row["username"], row["status"], works)


def made(session: AsyncSession, accounts: Iterable[Made]) -> None:
    """Ring for these with the session's commit, as for accounts that the session itself writes."""
    session.sync_session.info.setdefault(_MADE, []).extend(accounts)


def room_bell(database: Database, clock: Clock, topic: str = ACCOUNT_EVENTS) -> Bell:
    """The bell of those who wait for accounts, rung by every new or mended account that is written through `database`.

    Once a transaction and pool, `xget.account-events` says so too (kind `room`), for those who do not wait in line.
    Leases that are given back ring by themselves; rests and leases that end ring nothing: who waits knows when.
    """
    bell = Bell(database, NAME)
    sessions = database.sessions.kw["sync_session_class"]

    def note(session: Session, _context: Any) -> None:
        changed = {each for each in session.dirty if isinstance(each, Account) and _matters(each)}
        changed |= {each for each in session.new if isinstance(each, Account)}
        if changed:
            bell.ring_with(session, {pool_of(account.owner_id, account.platform) for account in changed})
        opened = session.info.setdefault(_OPENED, {})
        for account in changed:
            if _opens(account, new=account in session.new):
                opened.setdefault(pool_of(account.owner_id, account.platform), []).append(account)

    def note_made(session: Session) -> None:
        accounts: list[Made] = [] if session.in_nested_transaction() else session.info.pop(_MADE, [])
        if accounts:
            bell.ring_with(session, {pool_of(one.owner_id, one.platform) for one in accounts})
        opened = session.info.setdefault(_OPENED, {})
        for one in accounts:
            if one.works:
                opened.setdefault(pool_of(one.owner_id, one.platform), []).append(one)

    event.listen(sessions, "after_flush", note)
    # before the outbox is written, which is at the commit too
    event.listen(sessions, "before_commit", _announcer(clock, topic), insert=True)
    event.listen(sessions, "before_commit", note_made, insert=True)
    return bell


def _announcer(clock: Clock, topic: str) -> Callable[[Session], None]:
    def announce(session: Session) -> None:
        if session.in_nested_transaction():
            return
        session.flush()
        for accounts in session.info.pop(_OPENED, {}).values():
            fact = _fact(accounts, _grantees(session, accounts[0], clock.now()), clock.now())
            emit_with(session, OUTBOX, topic, fact.account_id, fact, source=SOURCE, clock=clock)

    return announce


def _grantees(session: Session, account: Account | Made, now: datetime) -> list[str]:
    """Whose tasks may use accounts of this pool, too."""
    return sorted(session.scalars(grantees_of(GRANTS, account.owner_id, account.platform, now)))


def _fact(accounts: list[Account | Made], lent_to: list[str], now: datetime) -> AccountChanged:
    first = accounts[0]
    many = "It can work." if len(accounts) == 1 else f"It and {len(accounts) - 1} more can work."
    return AccountChanged(
        account_id=first.id,
        owner_id=first.owner_id,
        platform=first.platform,
        username=first.username,
        kind="room",
        from_state=first.status,
        to_state=first.status,
        reason=many,
        at=now,
        lent_to=lent_to,
    )


def _matters(account: Account) -> bool:
    return not WATCHED.isdisjoint(attributes.instance_state(account).committed_state)


def _opens(account: Account, *, new: bool) -> bool:
    """Whether the account can work now and could not before, or rested."""
    if not (account.active and account.status in HEALTHY and account.cookies is not None):
        return False
    before = attributes.instance_state(account).committed_state
    if new or (before.get("rest_until") is not None and account.rest_until is None):
        return True
    could = before.get("active", True) and before.get("status", account.status) in HEALTHY
    return not could or before.get("cookies", account.cookies) is None
