"""Accounts that nobody used for long are looked at, a few an hour; what X says goes through the playbook."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from xget_account.adapters.health import XLook
from xget_account.models import Account
from xget_account.repository import PoolTables
from xget_account.repository.checks import CheckRepository
from xget_account.service import LeaseService, Vault
from xget_account.service.accounts import blank, refresh
from xget_account.service.health import HealthChecks
from xget_db.engine import Database
from xget_db.migrations import upgrade
from xget_kernel.clock import ManualClock
from xget_kernel.secrets import Keyring, Secret
from xget_sandbox.app import Options, Sandbox
from xget_sources.x.client import XClient
from xget_testing.lending import HastyClock

pytestmark = pytest.mark.slow


class Works:
    """Health checks on tables, with the sandbox as X."""

    def __init__(self, database: Database, clock: ManualClock, sandbox: Sandbox, client: XClient) -> None:
        self.database, self.clock, self.sandbox = database, clock, sandbox
        self.vault = Vault(Keyring({"k": b"k" * 32}))
        self.pool = LeaseService(PoolTables(database), self.vault, clock, daily_budget=50)
        look = XLook(self.pool, self, client, "worker")
        self.health = HealthChecks(self.checks, look, clock, idle=timedelta(hours=72), per_hour=2)

    @asynccontextmanager
    async def checks(self) -> AsyncIterator[CheckRepository]:
        async with self.database.transaction() as session:
            yield CheckRepository(session)

    async def address(self, owner_id: str, proxy_id: str | None) -> Secret | None:
        return Secret(self.sandbox.proxy_url)

    async def add(self, *names: str) -> None:
        async with self.database.transaction() as session:
            for name in names:
                account = blank("ada", "x", name, self.clock)
                refresh(account, {"auth_token": name.ljust(40, "a"), "ct0": "c" * 32}, self.vault)
                session.add(account)

    async def accounts(self) -> dict[str, Account]:
        async with self.database.read() as session:
            return {account.username: account for account in await session.scalars(select(Account))}

    def faults(self, *specs: str) -> None:
        self.sandbox.director.conditions.faults.set(list(specs))


@pytest.fixture
async def works(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Any]:
    upgrade(database_url, "xget_account")
    sandbox, client = Sandbox(Options(port=0, ca_file=tmp_path / "ca.pem", posts=50)), XClient(HastyClock())
    async with AsyncExitStack() as stack:
        await sandbox.start()
        stack.push_async_callback(sandbox.stop)
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        stack.push_async_callback(client.close)
        database = Database(database_url)
        stack.push_async_callback(database.close)
        made = Works(database, ManualClock(), sandbox, client)
        stack.push_async_callback(made.pool.close)
        yield made


async def test_idle_accounts_are_looked_at_and_the_hour_has_a_budget(works: Works) -> None:
    await works.add("one", "two", "three")
    assert not await works.health.run(), "they are new"
    works.clock.advance(73 * 3600)
    assert [await works.health.run() for _ in range(3)] == [True, True, False]
    assert sorted(account.status for account in (await works.accounts()).values()) == ["ACTIVE", "ACTIVE", "NEW"]
    works.clock.advance(3601)
    assert [await works.health.run() for _ in range(2)] == [True, False]
    found = await works.accounts()
    assert {account.status for account in found.values()} == {"ACTIVE"}
    assert not [account for account in found.values() if account.lease_holder is not None]


@pytest.mark.parametrize(("fault", "state"), [("32", "NEEDS_LOGIN"), ("64", "SUSPENDED"), ("326", "NEEDS_HUMAN")])
async def test_what_x_says_goes_through_the_playbook(works: Works, fault: str, state: str) -> None:
    await works.add("one")
    works.clock.advance(73 * 3600)
    works.faults(f"{fault}:UserByScreenName@1")
    assert await works.health.run()
    assert (await works.accounts())["one"].status == state
    works.clock.advance(80 * 3600)
    assert not await works.health.run(), "it is not healthy"


async def test_an_account_that_comes_back_is_looked_at_once(works: Works) -> None:
    await works.add("one")
    async with works.database.transaction() as session:
        account = (await session.scalars(select(Account))).one()
        account.last_used = works.clock.now()
    works.faults("500:UserByScreenName%1")
    assert [await works.health.run() for _ in range(2)] == [True, False]
    assert (await works.accounts())["one"].status == "NEW", "X was busy: that says nothing of the account"
