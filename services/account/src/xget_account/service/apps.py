"""Which accounts of an official API share an app, and what they share then.

X limits an app's own token by app and a user's token by user, and counts the month's posts by project. So accounts that
ask with tokens of one app have one window for each operation, kept equal in the ledger of each of them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from xget_account.models import Account, ApiAccess, ApiApp, LedgerEntry
from xget_account.repository.room import this_month

_PAUSE: Final = timedelta(seconds=2)
"""For how long an account waits for the first answer to another one of its app."""


def key_of(owner_id: str, word: str, tokens: Mapping[str, Any] | None) -> str:
    """What is the same for tokens of one app: the owner's word for it, else an equal bearer token or client id."""
    if word:
        return f"{owner_id}:{word}"
    for name in ("bearer_token", "client_id"):
        if tokens and tokens.get(name):
            return f"{name}:{sha256(str(tokens[name]).encode()).hexdigest()[:32]}"
    return ""


def is_app_wide(tokens: Mapping[str, Any] | None) -> bool:
    """Whether requests count for the app, not for a user of it."""
    return bool(tokens and tokens.get("bearer_token"))


def has_room(account_id: str, busy: Collection[str], entries: Mapping[str, LedgerEntry], now: datetime) -> bool:
    """Whether the app's window has room for the lease that an account has just been given; counts it for all of them.

    The choice has counted it for that account alone. Until an answer has told the window, one account asks at a time:
    `busy` are those whose request is under way.
    """
    mine, others = entries[account_id], [entry for name, entry in entries.items() if name != account_id]
    if mine.remaining is None or mine.limit is None:
        running = [entry for entry in others if _running(entry, now)]
        if not running:
            return _alone(mine, set(busy) - {account_id}, now)
        least = min(running, key=lambda entry: entry.remaining or 0)
        mine.limit, mine.remaining, mine.reset_at = least.limit, (least.remaining or 0) - 1, least.reset_at
    if mine.remaining < 0:
        mine.remaining = 0
        return False
    for entry in others:
        if _running(entry, now):
            entry.remaining = (entry.remaining or 0) - 1
        else:
            entry.limit, entry.remaining, entry.reset_at = mine.limit, mine.remaining, mine.reset_at
    return True


def _alone(mine: LedgerEntry, others: Collection[str], now: datetime) -> bool:
    if others:
        mine.rest_until = now + _PAUSE
    return not others


def share_window(account_id: str, busy: Collection[str], entries: Mapping[str, LedgerEntry], now: datetime) -> None:
    """What an answer to one account has told of the app's window holds for all of them."""
    mine = entries[account_id]
    for name, entry in entries.items():
        if name == account_id:
            continue
        if mine.remaining is not None and mine.reset_at is not None:
            same = _running(entry, now) and entry.reset_at is not None and entry.reset_at >= mine.reset_at
            # a request that is under way may not be counted in the answer yet
            open_now = 0 if same else name in busy
            known = entry.remaining if same and entry.remaining is not None else mine.remaining
            mine.remaining = max(0, mine.remaining - open_now)
            entry.limit, entry.remaining, entry.reset_at = mine.limit, min(known, mine.remaining), mine.reset_at
        if mine.rest_until is not None and mine.rest_until > now:
            entry.rest_until = max(mine.rest_until, entry.rest_until or mine.rest_until)


def share_rest(account_id: str, accounts: Mapping[str, Account]) -> None:
    """The month's posts and the credits are the project's: all accounts of the app rest as the one that was told so."""
    until = accounts[account_id].rest_until
    for account in accounts.values():
        if until is not None:
            account.rest_until = max(until, account.rest_until or until)


def opened(app: ApiApp, access: ApiAccess, micros: int, now: datetime) -> None:
    """A lease was given, and that for it is held. One before it that nobody has reported on is lost."""
    if app.open_fence:
        lost(app, now)
    app.open_fence, app.open_units, app.open_micros = access.held_fence, access.held_units, micros


def lost(app: ApiApp, now: datetime) -> None:
    """Nobody knows what became of the request: it stays counted, and is told apart."""
    month = this_month(now)
    if app.lost_month != month:
        app.lost_month, app.lost_units, app.lost_micros = month, 0, 0
    app.lost_units += app.open_units
    app.lost_micros += app.open_micros
    closed(app)


def settled(app: ApiApp, fence: int, units: int, now: datetime) -> None:
    """The request of a lease was told of; -1 units: not what it has read."""
    if app.open_fence != fence:
        return
    if units < 0:
        lost(app, now)
    else:
        closed(app)


def closed(app: ApiApp) -> None:
    """It is known what the newest request has cost."""
    app.open_fence = app.open_units = app.open_micros = 0


def _running(entry: LedgerEntry, now: datetime) -> bool:
    return entry.remaining is not None and entry.reset_at is not None and entry.reset_at > now


def under_way(account: Account, open_fence: int, operation: str, now: datetime) -> bool:
    """Whether a lease for the operation was handed out, lasts, and has not been reported on."""
    until = account.lease_expires_at
    return account.fence == open_fence and account.lease_operation == operation and until is not None and until > now
