"""Builds the account service's worker: it announces, and does what accounts need from time to time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import Final

from xget_account.adapters.health import XLook
from xget_account.adapters.login.proxies import GrpcLoginProxies
from xget_account.adapters.login.ways import Ways
from xget_account.adapters.topics import create_topics
from xget_account.models import OUTBOX, SEALED
from xget_account.repository import LifeRepository, LoginRepository, PoolTables
from xget_account.repository.checks import CheckRepository
from xget_account.repository.ringing import room_bell
from xget_account.repository.uses import UseRepository
from xget_account.service import LeaseService, Vault
from xget_account.service.health import HealthChecks
from xget_account.service.life import Life
from xget_account.service.logins import LoginRunner, Rules
from xget_account.service.playbook import Book
from xget_account.service.uses import Forgetting
from xget_account.settings import Settings
from xget_account.tasks import Job, periodically, unless
from xget_db.clock import ServerClock
from xget_db.data_keys import open_keys
from xget_db.engine import Database
from xget_db.migrations import upgrade
from xget_db.outbox import OutboxRelay
from xget_events.log import EventLog
from xget_kernel.clock import Clock
from xget_kernel.ids import new_id
from xget_rpc.client import RpcChannel
from xget_sources.x.client import XClient
from xget_telemetry.metrics import Registry

FORGET_SECONDS: Final = 600.0
CHECK_SECONDS: Final = 30.0
"""How often it is looked whether an account is due to be looked at."""


class Worker:
    """Sends account events and does periodic jobs. Run as many as you like on one database."""

    def __init__(self, settings: Settings, log: EventLog, clock: ServerClock, metrics: Registry) -> None:
        self.metrics = metrics
        self.begun = asyncio.Event()
        """Set when it has all that it needs and works."""
        self._settings = settings
        self._log = log
        self._clock = clock

    def degraded(self) -> dict[str, str]:
        """What works less well now, as sentences by what they are about: nothing that this worker knows of."""
        return {}

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set; then finish what is in hand and close. Raises StartupError."""
        async with AsyncExitStack() as stack:
            await asyncio.to_thread(upgrade, self._settings.tables_url, "xget_account")
            database = Database(self._settings.tables_url)
            stack.push_async_callback(database.close)
            await stack.enter_async_context(self._clock.following(database))
            stack.push_async_callback(room_bell(database, self._clock, self._settings.kafka_topic_account_events).close)
            await create_topics(self._log, self._settings)
            jobs = await self._jobs(database, stack, stop)
            self.begun.set()
            async with asyncio.TaskGroup() as group:
                if database.dialect == "postgresql":  # one relay per SQLite file: there it is the app's
                    group.create_task(OutboxRelay(database, OUTBOX, self._log, self._clock).run(stop))
                for job in jobs:
                    group.create_task(periodically(job, self._clock, stop))
                group.create_task(stop.wait())

    async def _jobs(self, database: Database, stack: AsyncExitStack, stop: asyncio.Event) -> Sequence[Job]:
        """What is done again and again; what a job needs open is closed by `stack`."""
        settings = self._settings
        keys = await open_keys(settings, database, SEALED)
        await stack.enter_async_context(keys.following())
        vault = Vault(keys.ring)
        channel = RpcChannel(settings.grpc_target(settings.proxy_service_url), settings.internal_token)
        stack.push_async_callback(channel.close)
        proxies = GrpcLoginProxies(channel)
        ways = Ways(settings)
        await asyncio.to_thread(ways.tidy)
        logins = self._logins(database, vault, proxies, ways)
        jobs = [Job("logins", settings.login_poll_seconds, lambda: unless(stop, logins.run()))]
        forgetting = self._forgetting(database)
        jobs.append(Job("forgetting", FORGET_SECONDS, lambda: unless(stop, forgetting.run())))
        if settings.account_checks_per_hour:
            health = self._health(database, vault, proxies, stack)
            jobs.append(Job("health", CHECK_SECONDS, lambda: unless(stop, health.run())))
        return jobs

    def _forgetting(self, database: Database) -> Forgetting:
        @asynccontextmanager
        async def work() -> AsyncIterator[UseRepository]:
            async with database.transaction() as session:
                yield UseRepository(session)

        audit, leases = self._settings.account_audit_days, self._settings.account_lease_log_days
        return Forgetting(work, self._clock, audit=timedelta(days=audit), leases=timedelta(days=leases))

    def _health(
        self, database: Database, vault: Vault, proxies: GrpcLoginProxies, stack: AsyncExitStack
    ) -> HealthChecks:
        settings, clock = self._settings, self._clock
        topic, budget = settings.kafka_topic_account_events, settings.account_daily_budget
        bell = room_bell(database, clock, topic)
        stack.push_async_callback(bell.close)
        client = XClient(clock)
        stack.push_async_callback(client.close)

        @asynccontextmanager
        async def checks() -> AsyncIterator[CheckRepository]:
            async with database.transaction() as session:
                yield CheckRepository(session)

        @asynccontextmanager
        async def seen() -> AsyncIterator[CheckRepository]:
            async with database.read() as session:
                yield CheckRepository(session)

        book = Book(clock, settings.playbook)
        pool = LeaseService(PoolTables(database, topic), vault, clock, daily_budget=budget, bell=bell, book=book)
        stack.push_async_callback(pool.close)
        idle = timedelta(hours=settings.account_check_idle_hours)
        look = XLook(pool, proxies, client, new_id())
        per_hour = settings.account_checks_per_hour
        return HealthChecks(checks, look, clock, idle=idle, per_hour=per_hour, seen=seen)

    def _logins(self, database: Database, vault: Vault, proxies: GrpcLoginProxies, ways: Ways) -> LoginRunner:
        settings, clock = self._settings, self._clock

        @asynccontextmanager
        async def work() -> AsyncIterator[tuple[LoginRepository, Life]]:
            async with database.transaction() as session:
                facts = LifeRepository(session, clock, settings.kafka_topic_account_events)
                yield LoginRepository(session), Life(facts, clock)

        return LoginRunner(
            name=new_id(),
            work=work,
            flow=ways.flow,
            proxies=proxies,
            vault=vault,
            clock=clock,
            rules=Rules(daily_cap=settings.login_daily_cap, seconds=settings.login_seconds),
        )


def create_worker(
    settings: Settings, *, log: EventLog, clock: Clock | None = None, metrics: Registry | None = None
) -> Worker:
    """The account service's worker on `log`."""
    return Worker(settings, log, ServerClock(clock), metrics or Registry())
