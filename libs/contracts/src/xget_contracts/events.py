"""Bodies of the messages on XGet's topics; `proto/topics/*.yaml` says who owns, sends and reads each."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec

from xget_contracts.items import Author, Item, Struct

TASKS = "xget.tasks"
PAGES = "xget.pages"
RESULTS = "xget.results"
STORED = "xget.stored"
PARSER_EVENTS = "xget.parser-events"
FORGOTTEN = "xget.forgotten"
ACCOUNT_EVENTS = "xget.account-events"
PROXY_EVENTS = "xget.proxy-events"


class ExecutionRequested(Struct):
    """`xget.tasks`, key = task id: an execution waits to be claimed. A wake-up only: the row is the truth."""

    execution_id: str
    task_id: str
    priority: int
    immediate: bool = False


class PageCollected(Struct):
    """`xget.pages`, key = execution id: one raw answer of a platform."""

    execution_id: str
    task_id: str
    owner_id: str
    page_no: int
    """1, 2, 3… within the execution; a page that is collected again after a crash keeps its number."""
    platform: str
    route: str
    task_type: str
    operation: str
    fetched_at: datetime
    sha256: str
    body_zstd: bytes
    """The answer as received, compressed with zstd (base64 in JSON)."""
    match_keys: list[str] = msgspec.field(default_factory=list)
    """Keys of the entries that answer the task, in page order; all else on the page is context."""
    cursor_in: str | None = None
    cursor_out: str | None = None
    request: dict[str, Any] = msgspec.field(default_factory=dict)
    attempt: int = 0
    """Fencing token of the run that collected it: tells a page from its repetition after a crash. Copied onwards."""


class PageParsed(Struct):
    """`xget.results`, key = execution id: what one page held."""

    execution_id: str
    task_id: str
    owner_id: str
    page_no: int
    platform: str
    route: str
    task_type: str
    parser_version: str
    fetched_at: datetime
    items: list[Item] = msgspec.field(default_factory=list)
    authors: list[Author] = msgspec.field(default_factory=list)
    quarantined: int = 0
    """Records of this page that stand in quarantine now."""
    replay: bool = False
    """True when the page was parsed again from quarantine or storage."""
    attempt: int = 0
    """Copied from the page."""


class PageStored(Struct):
    """`xget.stored`, key = execution id: one page is in the store, with counts derived from what is stored."""

    execution_id: str
    task_id: str
    owner_id: str
    page_no: int
    stored_at: datetime
    matched: int
    """Items whose first sighting in this execution is this page and that answer the task."""
    context: int
    """Items whose first sighting in this execution is this page and that came along."""
    new: int
    """Of those, items that nobody had stored before this page."""
    updated: int
    """Of those, items that were known and had changed."""
    unchanged: int
    """Of those, items that were known and are as they were."""
    duplicate: int
    """Items of this page that an earlier page of the execution had already."""
    quarantined: int = 0
    authors: int = 0
    keys: list[str] = msgspec.field(default_factory=list)
    """Keys of the items to index."""
    first_id: str | None = None
    last_id: str | None = None
    first_at: datetime | None = None
    """Oldest `created_at` among the page's matches."""
    last_at: datetime | None = None
    attempt: int = 0
    """Copied from the page: the highest, when several of this number were stored at once."""


class ParserChanged(Struct):
    """`xget.parser-events`, key = parser: a parser was frozen, begins to read what waited, or reads as usual again."""

    parser: str
    """Route and operation, as `x_session:SearchTimeline`."""
    platform: str
    route: str
    operation: str
    state: Literal["frozen", "thawing", "reading"]
    at: datetime
    version: str
    """The parser version that was frozen, or the one that reads again."""
    by: str
    """Who brought it about: `rate` (too much was rejected), `version` (a newer parser started), or a person's id."""
    pages: int = 0
    """Pages of the window that froze it."""
    rate: float = 0.0
    """Share of their records that was rejected: 0 to 1."""
    waiting: int = 0
    """Pages that wait for it."""


class AccountChanged(Struct):
    """`xget.account-events`, key = account id: something about an account that a person or a program may act upon."""

    account_id: str
    owner_id: str
    platform: str
    username: str
    kind: Literal["state_changed", "unknown_answer", "login_failed", "needs_human", "room"]
    from_state: str
    to_state: str
    """As `from_state` when the state stayed."""
    reason: str
    at: datetime
    next_step: str = ""
    """What would help, as a word: `login`, `assist`, `import_cookies`, `look`, `revive`; empty for nothing."""
    lent_to: list[str] = msgspec.field(default_factory=list)
    """Of `room`: other users whose tasks may use it."""


class ProxyChanged(Struct):
    """`xget.proxy-events`, key = subject id: a proxy rests or works again, or goes out elsewhere; a list of a
    provider could not be read."""

    subject_id: str
    """Of the proxy; for `provider_failed` of the provider."""
    owner_id: str
    kind: Literal["paused", "healed", "exit_changed", "provider_failed"]
    reason: str
    """A sentence without secrets."""
    at: datetime
    until: datetime | None = None
    """End of the pause, for `paused`."""
    exit_ip: str = ""
    """The new one, for `exit_changed`."""


class AuthorForgotten(Struct):
    """`xget.forgotten`, key = author key: what the author wrote has to go and stays away; or the ban is lifted.

    Said again at each sweep of a takedown: doing it again must be fine.
    """

    author_key: str
    platform: str
    author_id: str
    at: datetime
    """When a person decided it: of two events of an author, the later one holds."""
    lifted: bool = False


EndReason = Literal[
    "exhausted",
    "limit_reached",
    "window_covered",
    "ranking_ended",
    "stalled",
    "rate_limited_out",
    "no_account",
    "blocked",
    "cancelled",
    "source_error",
    "not_found",
    "protected",
    "suspended",
    "unavailable",
    "partial",
]
