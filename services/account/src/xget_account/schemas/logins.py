"""Bodies of logins."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field

from xget_kernel.secrets import Secret
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


class TicketLike(Protocol):
    """A ticket as the service gives it."""

    @property
    def attempt_id(self) -> str: ...
    @property
    def ticket(self) -> Secret: ...
    @property
    def expires_at(self) -> datetime: ...
    @property
    def username(self) -> str: ...
    @property
    def user_agent(self) -> str | None: ...
    @property
    def proxy_url(self) -> Secret | None: ...
    @property
    def browser_state(self) -> Secret | None: ...


class AssistTicket(BaseModel):
    """What a person's browser needs. Holds secrets: shown once, to operators only."""

    attempt_id: str
    ticket: str
    expires_at: datetime
    username: str
    user_agent: str | None
    proxy_url: str | None
    browser_state: dict[str, Any] | None
    """Playwright's storage_state."""

    @classmethod
    def of(cls, given: TicketLike) -> AssistTicket:
        """From what the service gave."""
        state = given.browser_state
        return cls(
            attempt_id=given.attempt_id,
            ticket=given.ticket.reveal(),
            expires_at=given.expires_at,
            username=given.username,
            user_agent=given.user_agent,
            proxy_url=given.proxy_url.reveal() if given.proxy_url else None,
            browser_state=json.loads(state.reveal()) if state else None,
        )


class AssistEnd(Body):
    """What a person's browser has afterwards."""

    ticket: Annotated[str, Field(min_length=1, max_length=128)]
    browser_state: dict[str, Any] | None = None
    """Playwright's storage_state; null when the person gave up."""
