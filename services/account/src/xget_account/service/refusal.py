"""Why no account could be leased, as an error with a sentence and, where there is one, a time."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta

from xget_account.errors import NoAccountNow, NoUsableAccount
from xget_account.models import NEEDS_HUMAN, NEEDS_LOGIN, SUSPENDED
from xget_account.repository import Candidate, Wish
from xget_kernel.errors import XGetError

IMPORT = "import one with POST /api/v1/accounts/import or `xget accounts import FILE`"
_WORDS = {NEEDS_LOGIN: "without valid cookies", NEEDS_HUMAN: "locked until a person helps", SUSPENDED: "suspended"}


def explain(wish: Wish, candidates: Sequence[Candidate], now: datetime) -> XGetError:
    """The error for a wish that got no account."""
    usable = [c for c in candidates if c.active and c.healthy and c.platform == wish.platform]
    if usable:
        moment, waits_for = min((_frees(candidate, now) for candidate in usable), key=lambda pair: pair[0])
        seconds = max(1, math.ceil((moment - now).total_seconds()))
        return NoAccountNow(moment, len(usable), waits_for, retry_after=seconds)
    if wish.account_id:
        return NoUsableAccount(_of_one(wish, candidates))
    if not candidates:
        return NoUsableAccount(f"There is no account of {wish.platform} to work with: {IMPORT}.")
    return NoUsableAccount(_of_many(wish, candidates))


def next_day(now: datetime) -> datetime:
    """When the daily budgets begin anew."""
    return datetime.combine(now.astimezone(UTC).date() + timedelta(days=1), time(), UTC)


def _frees(candidate: Candidate, now: datetime) -> tuple[datetime, str]:
    """When this account has room again, and what it waits for: the last of all that stands in the way."""
    reasons = [
        (candidate.frees_at, "lease"),
        (candidate.rests_until, "rest"),
        (None if candidate.budget_left else next_day(now), "budget"),
    ]
    return max(((moment, why) for moment, why in reasons if moment), default=(now + timedelta(seconds=1), "lease"))


def _of_one(wish: Wish, candidates: Sequence[Candidate]) -> str:
    if not candidates:
        return "The account that the task asks for does not exist: choose another, or none to use any."
    account = candidates[0]
    if account.platform != wish.platform:
        return f"The account {account.username} belongs to {account.platform}, the task to {wish.platform}."
    if not account.active:
        return f"The account {account.username} is switched off: set `active` to true, or choose another."
    return f"The account {account.username} cannot be used ({account.status}). {account.error_msg or ''}".strip()


def _of_many(wish: Wish, candidates: Sequence[Candidate]) -> str:
    kinds = Counter("switched off" if not c.active else _WORDS.get(c.status, "without cookies") for c in candidates)
    parts = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    return f"None of {len(candidates)} accounts of {wish.platform} can be used ({parts}): mend one, or {IMPORT}."
