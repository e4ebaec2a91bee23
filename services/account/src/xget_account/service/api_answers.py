"""What an answer of an official API means for the account that got it: the playbook's rules of that route."""

from __future__ import annotations

from datetime import datetime
from functools import cache

from xget_account.service.playbook import Answer, Decision, Playbook, packaged


@cache
def _book() -> Playbook:
    return packaged()


def decide(answer: Answer, now: datetime) -> Decision:
    """The decision for one answer at a time (UTC)."""
    return _book().decide(answer, now, "x_api")
