"""What a source is asked for and what it gives: targets, pages, parsed records, declared task types."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from pydantic import BaseModel

from xget_contracts.items import Author, Item, Rejected


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


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """What a platform says of how many posts a search has."""

    posts: int
    whole: bool
    """False: there are more, older or of other targets, that were not counted."""
    requests: int
    page_size: int
    """Posts of a full page of the route."""


class CollectRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One execution's wish: the task type and its validated parameters (without `limit`, which the worker keeps)."""

    task_type: str
    parameters: Mapping[str, Any]
    since: datetime | None = None
    until: datetime | None = None
    """When this run begins (included) and ends (excluded), over the parameters' own where the target is `windowed`."""
    wanted: int | None = None
    """How many matches more are wanted, for a route on which every result costs; None is all there are."""
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
    """Set on the last page: exhausted, window_covered, ranking_ended, stalled, reach_ended (see `reach`)."""
    counts: bool = True
    """False for a page that only prepares others (a name looked up to an id): stored, but nothing on it is a match."""
    oldest_at: datetime | None = None
    """Creation time of the oldest entry that belongs to the timeline (not pinned, not aside), before any filter; None
    when the page lists none, or lists them in another order than newest first."""
    newest_at: datetime | None = None
    """As `oldest_at`, of the newest."""
    reach: datetime | None = None
    """Of a last page with `reach_ended`: how far back the route goes. What is older, another route may have."""
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
