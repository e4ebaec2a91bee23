"""What the audit remembers."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from xget_auth.models import AuditEntry
from xget_kernel.ids import new_id

REGISTERED: Final = "registered"
LOGGED_IN: Final = "logged_in"
LOGIN_FAILED: Final = "login_failed"
LOGIN_THROTTLED: Final = "login_throttled"
LOGGED_OUT: Final = "logged_out"
REFRESH_REUSED: Final = "refresh_token_reused"
KEY_ROTATED: Final = "signing_key_rotated"


def entry(event: str, user_id: str | None, address: str, at: datetime) -> AuditEntry:
    """A line for the audit."""
    return AuditEntry(id=new_id(), at=at, event=event, user_id=user_id, address=address[:64])
