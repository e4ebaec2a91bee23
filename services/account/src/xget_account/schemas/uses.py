"""Bodies about who used which account."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict


class UseRead(BaseModel):
    """One run used one account for one operation."""

    model_config = ConfigDict(from_attributes=True)

    account_id: str
    holder: str
    """The execution, or who else leased it."""
    operation: str
    requester_id: str
    """Whose run it was; empty for the account's owner."""
    first_at: datetime
    last_at: datetime
    times: int
    """Leases."""
