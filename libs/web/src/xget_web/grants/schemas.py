"""Bodies of grants."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict

from xget_web.moments import Moment
from xget_web.types import Body, text

UserId = Annotated[str, text(64, min_length=1)]


class GrantCreate(Body):
    """Who may use what of yours. He never sees its secrets, and changes nothing."""

    grantee_id: UserId
    """The user who may use it."""
    platform: Annotated[str, text(32)] = ""
    """Only what is for this platform; empty for all."""
    subject_id: Annotated[str, text(36)] = ""
    """Only this account (or proxy); empty for all, also those that come later."""
    expires_at: Moment | None = None
    """When it ends by itself; null for never."""
    owner_id: UserId | None = None
    """Whose it is: only administrators name another than themselves."""


class GrantRead(BaseModel):
    """One user may use what is another's."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    owner_id: str
    grantee_id: str
    platform: str
    subject_id: str
    granted_by: str
    granted_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    revoked_by: str | None
