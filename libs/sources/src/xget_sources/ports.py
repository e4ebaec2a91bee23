"""What a platform must offer, and what it is given to work with."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any, Protocol

import msgspec
from pydantic import BaseModel

from xget_contracts.items import Author, Item, Rejected


class Lease(msgspec.Struct, frozen=True, kw_only=True):
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

    def __repr__(self) -> str:
        return f"Lease({self.lease_id}, account={self.account_id})"


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """One answer of the platform as observed; -1 and None mean that the answer did not say."""

    operation: str
    status: int
    """HTTP status; 0 when no answer came."""
    body_kind: str
    """json, html, empty, other."""
    error_codes: list[int] = []
    error_text: str = ""
    limit: int = -1
    remaining: int = -1
    reset_at: datetime | None = None
    bytes: int = 0
    duration_ms: int = 0


class Session(Protocol):
    """What a running execution lends to its source. Raises `NoAccount` when there is none to lend."""

    async def acquire(self, operation: str) -> Lease:
        """Lease an account (with its proxy) for one operation; raises NoAccount."""

    async def report(self, lease: Lease, outcome: Outcome) -> str:
        """Tell the pool what came back; the verdict is go_on, rest, relogin or quarantine."""

    async def release(self, lease: Lease) -> None:
        """Give the lease back; twice is fine."""


class NoAccount(Exception):
    """No account has room: `resume_at` says when one will, None means that there is none at all."""

    def __init__(self, detail: str, resume_at: datetime | None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.resume_at = resume_at


class SourceStopped(Exception):
    """The platform ended the stream: `reason` is an EndReason, `detail` a sentence for the user.

    `retryable` is True when the same page may be asked for again after a pause (LoadShed, dropped connections).
    """

    def __init__(self, reason: str, detail: str, *, retryable: bool = False) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.retryable = retryable


class CollectRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One execution's wish: the task type and its validated parameters (without `limit`, which the worker keeps)."""

    task_type: str
    parameters: Mapping[str, Any]


class RawPage(msgspec.Struct, frozen=True, kw_only=True):
    """One answer of a platform, unparsed."""

    operation: str
    route: str
    request: dict[str, Any]
    """What was asked (variables only; no cookies, no tokens)."""
    body: bytes
    fetched_at: datetime
    duration_ms: int
    requests: int
    """HTTP requests spent on this page, retries included."""
    entry_keys: list[str]
    """Keys of the entries that answer the task after its filters, in page order (`xget_contracts.items.Item.key`)."""
    cursor_in: str | None
    cursor_out: str | None
    """Give it to `collect` to go on after this page."""
    account_id: str | None
    proxy_id: str | None
    end_reason: str | None = None
    """Set on the last page: exhausted, window_covered, stalled."""
    counts: bool = True
    """False for a page that only prepares others (a name looked up to an id): stored, but nothing on it is a match."""


class PageToParse(msgspec.Struct, frozen=True, kw_only=True):
    """What a parser needs to know of a stored page."""

    task_type: str
    operation: str
    body: bytes
    match_keys: frozenset[str]
    fetched_at: datetime


class Parsed(msgspec.Struct, kw_only=True):
    """What a page holds. Each record of the page is in `items` or in `rejected`, never in neither."""

    items: list[Item]
    authors: list[Author]
    rejected: list[Rejected]


class TaskTypeSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A task type as a source declares it: REST bodies, CLI and docs come from here."""

    name: str
    summary: str
    parameters: type[BaseModel]
    """Schema of `parameters`: extra fields forbidden; `limit` is part of it (default None = all there is)."""
    item_kind: str
    """post, user or trend: what matches are."""


class Source(Protocol):
    """A platform, found by entry point group `xget.sources`."""

    platform: str
    route: str
    parser_version: str
    needs_account: bool
    task_types: Mapping[str, TaskTypeSpec]
    aliases: Mapping[str, str]

    def collect(self, request: CollectRequest, session: Session, cursor: str | None) -> AsyncIterator[RawPage]:
        """Yield pages from `cursor` on (None = from the start), one account lease each.

        Ends after a page with `end_reason`; raises NoAccount or SourceStopped.
        """

    def parse(self, page: PageToParse) -> Parsed:
        """Turn one page into items and authors. Pure; never raises for a strange payload: it rejects."""

    async def close(self) -> None:
        """Close pooled connections."""
