"""What an answer of the platform tells of the window of an account and operation, and of its failures."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from xget_account.models import LedgerEntry
from xget_account.repository import Known
from xget_account.service.playbook import Answer

KEPT: Final = 10
"""Failures that the ledger remembers of an account and operation."""


def learn(entry: LedgerEntry | Known, answer: Answer, verdict: str, *, again: bool, now: datetime) -> None:
    """Correct the entry by an answer; `again`: the request was not reserved when the lease was given."""
    if again and entry.remaining is not None:
        entry.remaining -= 1
    if answer.limit >= 0:
        entry.limit = answer.limit
    if answer.remaining >= 0:
        same_window = _same_window(entry, answer)
        # Within a window it only goes down: a request of a lost lease may still be on its way to the platform.
        known = entry.remaining if same_window and entry.remaining is not None else answer.remaining
        entry.remaining = max(0, min(known, answer.remaining))
    if answer.reset_at is not None:
        entry.reset_at = answer.reset_at
    _remember(entry, answer, verdict, now)


def _same_window(entry: LedgerEntry | Known, answer: Answer) -> bool:
    if entry.reset_at is None or answer.reset_at is None:
        return entry.reset_at is not None
    return answer.reset_at <= entry.reset_at


def _remember(entry: LedgerEntry | Known, answer: Answer, verdict: str, now: datetime) -> None:
    if answer.status == 200 and not answer.error_codes:
        entry.failures = 0
        return
    entry.failures += 1
    told = {
        "at": now.isoformat(),
        "status": answer.status,
        "codes": sorted(answer.error_codes),
        "body_kind": answer.body_kind,
        "verdict": verdict,
    }
    entry.errors = [*(entry.errors or []), told][-KEPT:]
