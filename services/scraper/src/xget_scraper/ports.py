"""What the scraper needs from outside."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import msgspec

from xget_sources.ports import Session


class Prices(msgspec.Struct, frozen=True, kw_only=True):
    """What a platform's official API costs, in millionths of a US dollar."""

    post_micros: int
    user_micros: int
    request_micros: int


class Left(msgspec.Struct, frozen=True, kw_only=True):
    """What an owner's accounts have left for one operation."""

    accounts: int
    """Healthy ones with requests left today, resting or leased ones included."""
    known: int
    """Those of them whose limit for the operation is known; `limit` and `remaining` are theirs together."""
    limit: int
    """Requests for each window."""
    remaining: int
    """Requests left in the windows now."""
    today: int
    """Requests that all of them have left today."""
    window_seconds: int
    prices: Prices | None = None
    """None for what is asked by sessions, and while the account service is one that does not tell."""


class Pools(Protocol):
    """Asks the account and proxy services what exists. Raises Unavailable (503) while they do not answer."""

    async def has_account(self, owner_id: str, account_id: str) -> bool:
        """Whether the owner has this account."""
        ...

    async def has_proxy(self, owner_id: str, proxy_id: str) -> bool:
        """Whether the owner has this proxy."""
        ...

    async def left(self, owner_id: str, platform: str, operation: str, account_id: str | None) -> Left:
        """What the owner's accounts (or only this one) have left for an operation; nothing is leased."""
        ...


class Tenant(msgspec.Struct, frozen=True, kw_only=True):
    """For whom accounts and proxies are leased."""

    execution_id: str
    platform: str
    pool_owners: Sequence[str]
    """Whose pools to ask, in order."""
    account_id: str | None
    """The only account to use, if the task says so."""
    sticky_account_id: str | None
    """The account that was used last."""
    proxy_id: str | None
    """Proxy for accounts without one of their own."""
    task_id: str = ""
    requester_id: str = ""
    """For whom the task works: those who wait for the same accounts are served in turn."""
    priority: int = 5
    immediate: bool = False


class Sessions(Protocol):
    """Opens sessions for sources."""

    def open(self, tenant: Tenant) -> AbstractAsyncContextManager[Session]:
        """A session; whatever it still leases at its end is given back."""
        ...


class Listing(msgspec.Struct, frozen=True):
    """A piece of a list of documents, each the JSON of one."""

    items: list[bytes]
    next_cursor: str | None
    total: int
    matched: int = 0


class Items(Protocol):
    """Reads what is stored for tasks. Raises Unavailable (503) while storage does not answer."""

    async def list(self, owner_id: str, task_id: str, role: str, limit: int, cursor: str | None) -> Listing:
        """Items of a task, oldest sighting first; `role` is match, context or empty."""
        ...

    async def search(
        self, owner_id: str, query: str, *, task_id: str | None, lang: str | None, limit: int, cursor: str | None
    ) -> Listing:
        """Items that a text query finds, best first; an empty `owner_id` looks through everybody's."""
        ...

    def stream(self, owner_id: str, task_id: str, role: str) -> AsyncIterator[Sequence[bytes]]:
        """All items of a task, oldest sighting first, in batches."""
        ...
