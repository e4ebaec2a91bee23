"""What a platform must offer, and what it is given to work with."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
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

    A target that is not there says so with not_found, protected, suspended or unavailable; no retry will change that.

    `retryable` is True when the same page may be asked for again after a pause (LoadShed, dropped connections).
    """

    def __init__(self, reason: str, detail: str, *, retryable: bool = False) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.retryable = retryable


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """One of the things that a task is about: a user, a post, a list, a query."""

    label: str
    """For people, unique within the task: "@nasa", "post 20", "list 42", the query as X is asked."""
    parameters: Mapping[str, Any]
    """Parameters of the same task type for this target alone, as JSON values (without `limit`, `limit_per_target`)."""
    windowed: bool = False
    """Newest first and narrowable in time: a stalled run can go on in smaller windows (`CollectRequest.since`)."""


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """What a task would ask a platform, told without asking it."""

    asks: list[str]
    """Query strings or sentences, one for each of the first targets."""
    more: int
    """Targets whose asks are left out."""
    targets: int
    operations: list[str]
    """The platform's operations, in the order of their first use."""
    page_size: int | None
    """Results that a page can hold at most; None when pages have no fixed size."""
    lookups: int = 0
    """Pages that only prepare others (names looked up to ids)."""
    warnings: list[str] = []


class CollectRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One execution's wish: the task type and its validated parameters (without `limit`, which the worker keeps)."""

    task_type: str
    parameters: Mapping[str, Any]
    since: datetime | None = None
    until: datetime | None = None
    """When this run begins (included) and ends (excluded), over the parameters' own where the target is `windowed`."""
    again: bool = False
    """A known match is looked at again: an answer without it is a page too, under its key, before the typed end; and so
    is its latest version, the last page."""


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
    """Set on the last page: exhausted, window_covered, ranking_ended, stalled."""
    counts: bool = True
    """False for a page that only prepares others (a name looked up to an id): stored, but nothing on it is a match."""
    oldest_at: datetime | None = None
    """Creation time of the oldest entry that belongs to the timeline (not pinned, not aside), before any filter; None
    when the page lists none, or lists them in another order than newest first."""
    newest_at: datetime | None = None
    """As `oldest_at`, of the newest."""
    written_at: Mapping[str, datetime] = {}
    """When entries were written, by their keys, as far as the platform tells: only those can be seen again by age."""


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
    stand_ins: dict[str, int] = {}
    """How often the page shows something in place of a post without saying of which, by reason (`items.Gone`)."""


class KnownFields(msgspec.Struct, frozen=True, kw_only=True):
    """The fields that a version of a parser was written for, by shape (post, user, card, media…)."""

    known: Mapping[str, frozenset[str]]
    """Every field that is no news."""
    usual: Mapping[str, frozenset[str]]
    """Those of them that a page hardly ever lacks that has a few records of the shape."""


class TaskTypeSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A task type as a source declares it: REST bodies, command line and documents come from here."""

    name: str
    summary: str
    parameters: type[BaseModel]
    """Schema of `parameters`: extra fields forbidden; `limit` is part of it (default None = all there is)."""
    item_kind: str
    """post, user, trend or community: what matches are."""
    windowed: bool = False
    """Its targets can be `windowed`; whether one is depends on its parameters."""
    subjects: Mapping[str, str] = {}
    """Ways to name what the task is about: the parameter for one target and its list for many; the first is usual."""
    operations: tuple[str, ...] = ()
    """The platform's operations that it may use, in the order of their first use."""
    page_size: int | None = None
    """Results of a full page; None when one page is all there is."""
    own_account: bool = False
    """About the account that asks: a task must name it."""
    example: Mapping[str, Any] = {}
    """Parameters as somebody may write them."""
    seen_again_by: str | None = None
    """Task type that looks at known matches again: its first `subjects` takes the ids that end their keys."""


class Source(Protocol):
    """A platform, found by entry point group `xget.sources`."""

    platform: str
    route: str
    parser_version: str
    needs_account: bool
    task_types: Mapping[str, TaskTypeSpec]
    aliases: Mapping[str, str]

    def targets(self, task_type: str, parameters: Mapping[str, Any]) -> Iterator[Target]:
        """The targets of valid parameters: one for most tasks, else in the order given, each once, made as they are
        read. Raises SourceStopped for parameters that are not valid (any more).
        """

    def preview(self, task_type: str, parameters: Mapping[str, Any]) -> Preview:
        """What a task with these valid parameters would ask; nothing is asked. Raises SourceStopped as `targets`."""

    def collect(self, request: CollectRequest, session: Session, cursor: str | None) -> AsyncIterator[RawPage]:
        """Yield pages from `cursor` on (None = from the start), one account lease each.

        Ends after a page with `end_reason`; raises NoAccount or SourceStopped.
        """

    def parse(self, page: PageToParse) -> Parsed:
        """Turn one page into items and authors. Pure; never raises for a strange payload: it rejects."""

    def fields(self, page: PageToParse) -> Mapping[str, frozenset[str]]:
        """The fields that a page's records have, by shape: paths like `legacy.entities.urls[].url`, and `path!type`
        for a known field with a value of a type that it never had. Pure, never raises, costs more than a parse.
        """

    def known_fields(self) -> KnownFields:
        """What `fields` is measured against: what is not known is new; a usual field that stays away is gone."""

    async def close(self) -> None:
        """Close pooled connections."""
