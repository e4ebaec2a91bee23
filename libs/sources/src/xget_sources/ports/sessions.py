"""What a running execution lends to a source: accounts, and the errors that end a run."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, Protocol

import msgspec

from xget_kernel.secrets import NotPickled


class ApiCredential(NotPickled, msgspec.Struct, frozen=True, kw_only=True):
    """What an account has for a platform's official API: an app's bearer token, or a user's tokens. Carries secrets."""

    bearer_token: str | None = None
    client_id: str | None = None
    client_secret: str | None = None
    refresh_token: str | None = None
    access_token: str | None = None
    access_expires_at: datetime | None = None
    full_archive: bool = False
    """Its plan lets it search all posts, not only those of the last days."""

    def __repr__(self) -> str:
        return "ApiCredential(…)"


class Spend(msgspec.Struct, frozen=True, kw_only=True):
    """What one page of an official API reads at most; that is what it costs."""

    kind: Literal["posts", "users"]
    units: int
    archive: bool = False
    """Only an account will do whose plan has the full-archive search."""


class Lease(NotPickled, msgspec.Struct, frozen=True, kw_only=True):
    """The right to use an account for one operation. Carries secrets: it has no useful repr and is never logged."""

    lease_id: str
    fencing_token: int
    account_id: str
    username: str
    cookies: Mapping[str, str]
    headers: Mapping[str, str]
    user_agent: str | None
    proxy_id: str | None
    proxy_url: str | None
    expires_at: datetime
    api: ApiCredential | None = None
    """Set when it was asked for with `spend`."""

    def __repr__(self) -> str:
        return f"Lease({self.lease_id}, account={self.account_id})"


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """One answer of the platform as observed; -1 and None mean that the answer did not say."""

    operation: str
    status: int
    """HTTP status; 0 when no answer came."""
    body_kind: str
    """json, html, empty, other; more exactly cloudflare, login_page, logged_out, loadshed, no_instructions,
    no_transaction_id."""
    error_codes: list[int] = []
    error_text: str = ""
    limit: int = -1
    remaining: int = -1
    reset_at: datetime | None = None
    bytes: int = 0
    duration_ms: int = 0
    has_data: bool = False
    """It carries something of what was asked for."""
    outline: str = ""
    """Names and types of the body of an answer without data, no values."""
    units: int = -1
    """Posts or users that were read, of what the lease may spend; -1: as many as that."""
    last: bool = False
    """No further request is made with the lease, the pool may have it back with the report; `release` it all the same.
    """


class Session(Protocol):
    """What a running execution lends to its source. Raises `NoAccount` when there is none to lend."""

    async def acquire(self, operation: str, *, spend: Spend | None = None) -> Lease:
        """Lease an account (with its proxy) for one operation; raises NoAccount.

        With `spend` one that has a credential for the platform's official API and may still spend so much.
        """

    async def report(self, lease: Lease, outcome: Outcome) -> str:
        """Tell the pool what came back; the action is go_on, retry, rest, relogin, human, quarantine,
        rotate_proxy, refresh or stop."""

    async def release(self, lease: Lease) -> None:
        """Give the lease back; twice is fine."""

    async def keep(self, lease: Lease, fresh: ApiCredential) -> None:
        """Store new tokens of the lease's account, durable on return: the old refresh token is good no more."""


class NoAccount(Exception):
    """No account has room: `resume_at` says when one will, None means that there is none at all.

    `accounts` is how many have room then; 0 where nobody said so.
    """

    def __init__(self, detail: str, resume_at: datetime | None, accounts: int = 0) -> None:
        super().__init__(detail)
        self.detail = detail
        self.resume_at = resume_at
        self.accounts = accounts


class SourceStopped(Exception):
    """The platform ended the stream: `reason` is an EndReason, `detail` a sentence for the user.

    A target that is not there says so with not_found, protected, suspended or unavailable; no retry will change that.

    `retryable` is True when the same page may be asked for again after a pause (LoadShed, dropped connections).
    """

    def __init__(self, reason: str, detail: str, *, retryable: bool = False) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.retryable = retryable


class NotOffered(SourceStopped):
    """This route does not have what is asked for, or not so far back; another route of the platform may."""

    def __init__(self, detail: str) -> None:
        super().__init__("source_error", detail)
