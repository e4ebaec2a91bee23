"""Why no account could be leased, as an error with a sentence and, where there is one, a time."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from xget_account.errors import NoAccountNow, NoUsableAccount
from xget_account.models import NEEDS_HUMAN, NEEDS_LOGIN, SUSPENDED, Account
from xget_account.repository import Kind, LeaseRepository, Outlook, Wish, pool_of
from xget_kernel.errors import XGetError

IMPORT = "import one with POST /api/v1/accounts/import or `xget accounts import FILE`"
_WORDS = {NEEDS_LOGIN: "without valid cookies", NEEDS_HUMAN: "locked until a person helps", SUSPENDED: "suspended"}


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


def _later(outlook: Outlook, wish: Wish, now: datetime) -> NoAccountNow:
    seconds = max(1, math.ceil((outlook.at - now).total_seconds()))
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
