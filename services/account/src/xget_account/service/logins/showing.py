"""How a login that is under way is shown."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from xget_account.models import Login, LoginAttempt
from xget_account.schemas import LoginNow
from xget_account.service.logins.steps import asks, step_of

ASSIST: Final = "assist"
"""The method of a login by a person."""
LONG: Final = timedelta(seconds=60)
"""A try that waits for longer waits for a worker that is not there."""


def under_way(attempt: LoginAttempt, login: Login | None, now: datetime, cap: int) -> LoginNow:
    """An open try in words and numbers."""
    ends = login.expires_at if login is not None else None
    held = ends is not None and ends > now
    phase = "waiting" if not held else "assisted" if attempt.method == ASSIST else "running"
    used = used_today(login, now) if login is not None else 0
    return LoginNow(
        attempt_id=attempt.id,
        phase=phase,
        step=step_of(attempt.sentence) if phase == "running" else "",
        sentence=_sentence(attempt, phase, now),
        method=attempt.method,
        asked_by=attempt.asked_by,
        asked_at=attempt.at,
        started_at=attempt.started_at,
        number=used if attempt.method == ASSIST or asks(step_of(attempt.sentence)) else used + 1,
        most=cap,
        starts=attempt.starts,
        lease_ends_at=ends if held else None,
    )


def used_today(login: Login, now: datetime) -> int:
    """Tries begun on this UTC day."""
    return login.today if login.day == now.date().isoformat() else 0


def _sentence(attempt: LoginAttempt, phase: str, now: datetime) -> str:
    since = f"since {(attempt.started_at or attempt.at):%H:%M:%S} UTC"
    if phase == "assisted":
        return f"{attempt.asked_by} logs it in by hand, {since}."
    if phase == "running":
        return f"Is being logged in {since}: {attempt.sentence or 'it is begun.'}"
    if attempt.starts:
        return "Whoever logged it in is gone: the worker goes on from here."
    if now - attempt.at > LONG:
        return f"Waits to be logged in {since}: no worker takes it. Start one: `xget worker account`."
    return f"Waits to be logged in {since}."
