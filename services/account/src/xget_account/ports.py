"""Ports of the account service: what logs in to a platform, and through which proxy."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from xget_kernel.secrets import NotPickled, Secret

LOGGED_IN: Final = "logged_in"
"""The outcome of a login that gave a session."""


@dataclass(frozen=True)
class Credentials(NotPickled):
    """Everything with which one account logs in. Secrets show themselves only through `reveal()`."""

    account_id: str
    attempt_id: str
    username: str
    login_method: str
    password: Secret | None
    email: str | None = None
    email_password: Secret | None = None
    totp: Secret | None = None
    user_agent: str | None = None
    proxy_url: Secret | None = None
    """None means direct."""
    browser_state: Secret | None = None
    """What the browser kept of the last login."""


@dataclass(frozen=True)
class LoginResult(NotPickled):
    """How a try ended: a word of `service.logins.OUTCOMES` and a sentence without secrets."""

    outcome: str
    sentence: str
    cookies: Mapping[str, str] = field(default_factory=dict, repr=False)
    browser_state: Secret | None = None
    screenshot: str | None = None
    """Path of the picture of the last page, inputs blanked."""


OnStep = Callable[[str], Awaitable[None]]
"""Is told each step of a login before it begins, a word of `service.logins.STEPS`, and returns when it is written down.

Raises when the login is another's by now: the flow stops there.
"""


class LoginFlow(Protocol):
    """One way to log in. It never tries twice, never solves a challenge, and leaves nothing on disk."""

    async def log_in(self, given: Credentials, on_step: OnStep) -> LoginResult:
        """Log in once. What goes wrong is an outcome, not an exception."""


class LoginProxies(Protocol):
    """Through which proxy an account reaches its platform."""

    async def address(self, owner_id: str, proxy_id: str | None) -> Secret | None:
        """URL of the account's own proxy or of the pool's best; None when the owner has none at all.

        Raises XGetError with a sentence when the proxy cannot be had now.
        """
