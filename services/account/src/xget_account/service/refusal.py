"""Why no account could be leased, as an error with a sentence and, where there is one, a time."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Final

from xget_account.errors import NoAccountNow, NoUsableAccount
from xget_account.models import NEEDS_HUMAN, NEEDS_LOGIN, SUSPENDED, Account
from xget_account.repository import Kind, LeaseRepository, Outlook, Wish, pool_of
from xget_account.service.remembering import MANY, Remembered
from xget_kernel.errors import XGetError

IMPORT = "import one with POST /api/v1/accounts/import or `xget accounts import FILE`"
_WORDS = {NEEDS_LOGIN: "without valid cookies", NEEDS_HUMAN: "locked until a person helps", SUSPENDED: "suspended"}


Key = tuple[str, str, str, str, int, int, bool]
Refusals = Remembered[XGetError]
"""What was said of very many accounts just now."""
KEPT_SECONDS: Final = 10.0


def asked(wish: Wish) -> Key:
    """What wishes have in common that are refused for the same reason."""
    return (wish.owner_id, wish.platform, wish.operation, wish.account_id, wish.units, wish.micros, wish.archive)


def code_of(error: Exception) -> str:
    """The word for an error in figures."""
    return error.code if isinstance(error, XGetError) else "error"


async def explain_all(
    leases: LeaseRepository, wishes: Sequence[Wish], now: datetime, budget: int, told: Refusals
) -> dict[Key, Exception]:
    """The errors for wishes that got no account, by what they have in common.

    What is said of many thousand accounts is said again for 10 s, but not beyond the moment that it names.
    """

    def seconds(error: XGetError) -> float:
        if isinstance(error, NoAccountNow) and error.accounts >= MANY:
            return min(KEPT_SECONDS, (error.available_at - now).total_seconds())
        return 0.0

    first = {asked(wish): wish for wish in reversed(wishes)}
    found: dict[Key, Exception] = {}
    for key, wish in first.items():
        error = await told.get(key, partial(explain, leases, wish, now, budget), seconds)
        found[key] = _said_again(error, now) if isinstance(error, NoAccountNow) else error
    return found


async def explain(leases: LeaseRepository, wish: Wish, now: datetime, budget: int) -> XGetError:
    """The error for a wish that got no account."""
    wish = await leases.with_lent(wish, now)
    outlook = await leases.outlook(wish, now, budget)
    if outlook is not None:
        return _later(outlook, wish, now)
    if wish.account_id:
        return NoUsableAccount(_of_one(wish, await leases.named(wish)))
    kinds = await leases.kinds(wish)
    if not kinds:
        return NoUsableAccount(f"There is no account of {wish.platform} to work with: {IMPORT}.")
    return NoUsableAccount(_of_many(wish, kinds))


def _said_again(error: NoAccountNow, now: datetime) -> NoAccountNow:
    """A refusal as it is now, in an error of its own: who raises one adds to what it holds."""
    seconds = _seconds(error.available_at, now)
    again = NoAccountNow(error.available_at, error.accounts, error.then, error.waits_for, retry_after=seconds)
    again.pools = error.pools
    return again


def _seconds(at: datetime, now: datetime) -> int:
    return max(1, math.ceil((at - now).total_seconds()))


def _later(outlook: Outlook, wish: Wish, now: datetime) -> NoAccountNow:
    seconds = _seconds(outlook.at, now)
    error = NoAccountNow(outlook.at, outlook.accounts, outlook.then, outlook.waits_for, retry_after=seconds)
    error.pools = frozenset(pool_of(lent.owner_id, wish.platform) for lent in wish.lent)
    return error


def _of_one(wish: Wish, account: Account | None) -> str:
    if account is None:
        return "The account that the task asks for does not exist: choose another, or none to use any."
    if account.platform != wish.platform:
        return f"The account {account.username} belongs to {account.platform}, the task to {wish.platform}."
    if not account.active:
        return f"The account {account.username} is switched off: set `active` to true, or choose another."
    return f"The account {account.username} cannot be used ({account.status}). {account.error_msg or ''}".strip()


def _of_many(wish: Wish, kinds: Sequence[Kind]) -> str:
    counts: Counter[str] = Counter()
    for kind in kinds:
        counts["switched off" if not kind.active else _WORDS.get(kind.status, "without cookies")] += kind.count
    parts = ", ".join(f"{count} {word}" for word, count in sorted(counts.items()))
    total = sum(counts.values())
    return f"None of {total} accounts of {wish.platform} can be used ({parts}): mend one, or {IMPORT}."
