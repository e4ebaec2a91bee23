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


class LoginNow(BaseModel):
    """A login that waits or runs."""

    attempt_id: str
    phase: Literal["waiting", "running", "assisted"]
    """`waiting` for a worker; `running` in one; `assisted` by a person at a browser of his own."""
    step: str
    """What is done now, as a word: starting, opening, identifier, name, password, totp, email, code, google,
    google_identifier, google_password, google_code, code_given, session; empty unless it runs."""
    sentence: str
    method: str
    asked_by: str
    """A person's id, or `worker`."""
    asked_at: datetime
    started_at: datetime | None
    """null while it waits for its first start."""
    number: int
    """Which try of this UTC day it is, …"""
    most: int
    """… and how many there may be."""
    starts: int
    """How often it was begun: again after a worker died."""
    lease_ends_at: datetime | None
    """When it counts as dead unless its holder shows that it lives."""


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
    def ends_at(self) -> datetime: ...
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
    """Renew the ticket before: POST …/assist/{attempt_id}/renew."""
    ends_at: datetime
    """It cannot be renewed beyond."""
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
            ends_at=given.ends_at,
            username=given.username,
            user_agent=given.user_agent,
            proxy_url=given.proxy_url.reveal() if given.proxy_url else None,
            browser_state=json.loads(state.reveal()) if state else None,
        )


class AssistRenewal(Body):
    """The person's browser is still open."""

    ticket: Annotated[str, Field(min_length=1, max_length=128)]


class AssistLease(BaseModel):
    """Until when a ticket is good."""

    expires_at: datetime
    ends_at: datetime


class AssistEnd(Body):
    """What a person's browser has afterwards."""

    ticket: Annotated[str, Field(min_length=1, max_length=128)]
    browser_state: dict[str, Any] | None = None
    """Playwright's storage_state; null when the person gave up."""
