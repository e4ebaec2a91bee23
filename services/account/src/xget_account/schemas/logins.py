"""Bodies of logins."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from xget_web.types import Body

LoginWith = Literal["auto", "browser", "flow"]


class LoginRequest(Body):
    """How to log in."""

    method: Annotated[
        LoginWith,
        Field(
            description="`browser`: X's or Google's pages in Chromium. `flow`: X's login API, as twscrape speaks it. "
            "`auto`: what XGET_LOGIN_WITH says."
        ),
    ] = "auto"


class LoginRead(BaseModel):
    """One try to log in."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    account_id: str
    at: datetime
    asked_by: str
    method: str
    started_at: datetime | None
    """null while it waits for a worker."""
    ended_at: datetime | None
    outcome: str | None
    """null while it is under way; `logged_in` or what went wrong."""
    sentence: str
    screenshot: str | None
    """Path on the worker's machine."""


class LoginList(BaseModel):
    """An account's tries, newest first."""

    items: list[LoginRead]
