"""Answers that no row of the playbook knows, kept as samples without what is secret or personal."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from xget_account.models import Account, Sample
from xget_account.service.playbook import Answer, known_kind
from xget_kernel.ids import new_id

_OUTLINE: Final = 2000
_MESSAGE: Final = 160
_NOT_OUTLINE = re.compile(r"[^A-Za-z0-9_#{}\[\]:,.|<> -]")
_PERSONAL = re.compile(r"https?://\S+|\S*@\S+|['\"“‘][^'\"”’]*['\"”’]|\S*\d{3,}\S*|\S{25,}")
"""Addresses, names with @, what stands in quotes, numbers and long words: they may name or let in somebody."""


@dataclass(frozen=True)
class Unknown:
    """An answer that nobody knows, and whose it was."""

    account: Account
    answer: Answer
    message: str


def sample_of(unknown: Unknown, now: datetime) -> Sample:
    """What is kept: status, codes, kind, the outline of the body, and X's message without what is personal."""
    answer, account = unknown.answer, unknown.account
    kind = answer.body_kind[:64] if known_kind(answer.body_kind) else "other"
    outline = _NOT_OUTLINE.sub("", answer.outline)[:_OUTLINE]
    codes = sorted(answer.error_codes)[:20]
    shape = hashlib.sha256(repr((account.platform, answer.status, kind, codes, outline)).encode()).hexdigest()[:32]
    return Sample(
        id=new_id(),
        owner_id=account.owner_id,
        account_id=account.id,
        platform=account.platform,
        operation=answer.operation[:64],
        shape=shape,
        status=answer.status,
        body_kind=kind,
        answer={"error_codes": codes, "message": masked(unknown.message), "outline": outline},
        at=now,
    )


def masked(message: str) -> str:
    """X's message in short, without addresses, names, quotes, numbers and long words."""
    shown = "".join(c if c.isprintable() else " " for c in message[:_MESSAGE])
    return _PERSONAL.sub("…", shown)
