"""The pool, with what accounts of one developer app of an official API share."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final

from xget_account.models import Account
from xget_account.repository import PoolTables, Wish
from xget_account.repository.apps import AppRepository
from xget_account.service.apps import (
    has_room,
    is_app_wide,
    key_of,
    opened,
    settled,
    share_rest,
    share_window,
    under_way,
)
from xget_account.service.granting import Granted
from xget_account.service.leases import LeaseService
from xget_account.service.playbook import Answer, Decision
from xget_account.service.playbook.rows import SESSION
from xget_account.service.vault import Vault
from xget_db.engine import Database
from xget_kernel.clock import Clock

Apps = Callable[[], AbstractAsyncContextManager[AppRepository]]

_OF_NO_ROUTE: Final = frozenset({"daily_budget", "unknown"})
"""Decisions that accounts of every route may get."""
_CAPPED: Final = "problem:usage-capped"
_NO_CREDITS: Final = 402
"""Whatever its body says."""


def apps_on(database: Database) -> Apps:
    """Each call is one transaction."""

    @asynccontextmanager
    async def apps() -> AsyncIterator[AppRepository]:
        async with database.transaction() as session:
            yield AppRepository(session)

    return apps


class AppPool(LeaseService):
    """As LeaseService; a lease of an official API is handed out only if the app's window has room for it, too."""

    def __init__(self, tables: PoolTables, vault: Vault, clock: Clock, *, apps: Apps, **more: Any) -> None:
        super().__init__(tables, vault, clock, **more)
        self._apps = apps
        self._time = clock

    async def acquire(self, wish: Wish, ttl_seconds: int, wait_seconds: float = 0) -> Granted:
        """See LeaseService. An account whose app has no room rests until it has, and another one is tried."""
        if not wish.is_api:
            return await super().acquire(wish, ttl_seconds, wait_seconds)
        end = self._time.monotonic() + wait_seconds
        while True:
            granted = await super().acquire(wish, ttl_seconds, max(0.0, end - self._time.monotonic()))
            try:
                admitted = await self._admitted(granted, wish)
            except BaseException:
                self._give_back(granted)
                raise
            if admitted:
                return granted
            await asyncio.shield(self._undone(granted))

    async def report(
        self,
        lease_id: str,
        fence: int,
        answer: Answer,
        error_text: str = "",
        *,
        units: int = -1,
        release: bool = False,
    ) -> Decision:
        """See LeaseService. What an answer tells of the app holds for all of its accounts."""
        decision = await super().report(lease_id, fence, answer, error_text, units=units, release=release)
        if decision.rule.route != SESSION or decision.rule.name in _OF_NO_ROUTE:
            await self._learned(lease_id.partition(".")[0], answer)
        return decision

    async def _undo(self, granted: Granted) -> None:
        """See LeaseService. What was held for its request is not spent."""
        account_id, fence = granted.account.id, granted.account.fence
        try:
            if granted.api is not None:
                async with self._apps() as apps:
                    await apps.lock([account_id])
                    await apps.take_back(account_id, fence, granted.micros)
                    if (app := await apps.get(account_id)) is not None:
                        settled(app, fence, 0, self._time.now())
        finally:
            await super()._undo(granted)

    async def _admitted(self, granted: Granted, wish: Wish) -> bool:
        account_id, fence, now = granted.account.id, granted.account.fence, self._time.now()
        wide = is_app_wide(granted.api)
        async with self._apps() as apps:
            before = await apps.get(account_id)
            key = key_of(granted.account.owner_id, before.app if before else "", granted.api)
            ids = await self._sharing(apps, key, wide) | {account_id}
            accounts = await apps.lock(ids)
            app = await apps.get(account_id) or apps.add(account_id)
            app.app_key, app.app_wide = key, wide
            if len(ids) > 1:
                entries = await apps.entries(ids, wish.operation, now)
                busy = await self._busy(apps, accounts, wish.operation)
                if not has_room(account_id, busy, entries, now):
                    await apps.take_back(account_id, fence, granted.micros)
                    return False
            access = await apps.access(account_id)
            if access is not None and access.held_fence == fence:
                opened(app, access, wish.micros, now)
        return True

    async def _learned(self, account_id: str, answer: Answer) -> None:
        now = self._time.now()
        async with self._apps() as apps:
            known = await apps.get(account_id)
            if known is None:
                return
            windows = await self._sharing(apps, known.app_key, known.app_wide) | {account_id}
            projects = answer.body_kind == _CAPPED or answer.status == _NO_CREDITS
            rest = set(await apps.together(known.app_key)) if projects else set()
            accounts = await apps.lock(windows | rest)
            if len(windows) > 1:
                entries = await apps.entries(windows, answer.operation, now)
                share_window(account_id, await self._busy(apps, accounts, answer.operation), entries, now)
            if rest:
                share_rest(account_id, accounts)

    async def _busy(self, apps: AppRepository, accounts: Mapping[str, Account], operation: str) -> set[str]:
        fences, now = await apps.open_fences(accounts), self._time.now()
        return {
            name for name, account in accounts.items() if under_way(account, fences.get(name, 0), operation, now)
        }  # fmt: skip

    async def _sharing(self, apps: AppRepository, key: str, wide: bool) -> set[str]:
        """Accounts whose requests count in one window with those of an app-wide token of this app."""
        return {name for name, other in (await apps.together(key)).items() if other} if wide else set()
