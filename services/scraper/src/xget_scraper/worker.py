"""Builds the scraper's worker: it collects, and hears what storage confirms."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, suppress
from datetime import timedelta

from xget_db.clock import ServerClock
from xget_db.engine import Database
from xget_db.migrations import upgrade
from xget_events.log import EventLog
from xget_events.runner import ConsumerRunner, Handler
from xget_kernel.breaker import Breaker
from xget_kernel.clock import Clock
from xget_kernel.ids import new_id
from xget_rpc.client import RpcChannel
from xget_scraper.adapters.grpc import GrpcSessions
from xget_scraper.adapters.topics import create_topics
from xget_scraper.consumers import on_accounts, on_stored, on_tasks
from xget_scraper.ports import Sessions
from xget_scraper.repository import Store
from xget_scraper.service.checkpoints import Checkpoints, Rules
from xget_scraper.service.collecting import Collector
from xget_scraper.service.dispatching import Dispatcher
from xget_scraper.service.gathering import Observer
from xget_scraper.service.planning import Planner
from xget_scraper.service.platforms import by_platform
from xget_scraper.service.progress import ProgressService
from xget_scraper.service.tidying import Tidying
from xget_scraper.settings import Settings
from xget_scraper.tasks import observe, sweep, tidy
from xget_sources.ports import Source
from xget_sources.registry import load_sources
from xget_telemetry.breakers import watch_breakers
from xget_telemetry.metrics import Registry

TASKS_GROUP = "scraper-workers"
STORED_GROUP = "scraper-progress"
ACCOUNTS_GROUP = "scraper-accounts"


class Worker:
    """Collects executions and keeps their progress. Run as many as you like on one database."""

    def __init__(
        self,
        settings: Settings,
        log: EventLog,
        clock: ServerClock,
        sources: Mapping[str, Source] | None,
        sessions: Sessions | None,
        *,
        metrics: Registry,
    ) -> None:
        self.metrics = metrics
        self.begun = asyncio.Event()
        """Set when it has all that it needs and works."""
        self._settings = settings
        self._log = log
        self._clock = clock
        self._sources = sources
        self._sessions = sessions
        self._name = new_id()
        self._peers: tuple[Breaker, ...] = ()
        self._known: Mapping[str, Source] = {}

    def degraded(self) -> dict[str, str]:
        """What works less well now, as sentences by what they are about."""
        return {breaker.peer: trouble for breaker in self._peers if (trouble := breaker.trouble())}

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set; then finish the pages in hand, give the executions back and close."""
        async with AsyncExitStack() as stack:
            await asyncio.to_thread(upgrade, self._settings.tables_url, "xget_scraper")
            database = Database(self._settings.tables_url)
            stack.push_async_callback(database.close)
            await stack.enter_async_context(self._clock.following(database))
            await create_topics(self._log, self._settings)
            store = Store(database)
            checkpoints = Checkpoints(store, self._clock, self._rules())
            dispatcher = self._dispatcher(checkpoints, stack)
            stack.callback(database.on_commit(_waker(dispatcher)))
            self.begun.set()
            await self._work(dispatcher, checkpoints, store, stop)

    async def _work(self, dispatcher: Dispatcher, checkpoints: Checkpoints, store: Store, stop: asyncio.Event) -> None:
        settings = self._settings
        pause = settings.scraper_poll_seconds
        progress = ProgressService(store, self._clock)
        tasks = self._runner(TASKS_GROUP, settings.kafka_topic_tasks, on_tasks(dispatcher.wake))
        stored = self._runner(STORED_GROUP, settings.kafka_topic_stored, on_stored(progress))
        accounts = self._runner(
            ACCOUNTS_GROUP, settings.kafka_topic_account_events, on_accounts(checkpoints, dispatcher.wake)
        )
        async with asyncio.TaskGroup() as group:
            group.create_task(dispatcher.run(stop))
            group.create_task(accounts.run(stop))
            group.create_task(tasks.run(stop))
            group.create_task(stored.run(stop))
            group.create_task(sweep(checkpoints, self._clock, pause, dispatcher.wake, stop))
            group.create_task(tidy(Tidying(store), self._clock, pause, stop))
            observer = Observer(store, self._known, self._clock, settings.kafka_topic_tasks)
            every = settings.scraper_observe_seconds
            group.create_task(observe(observer, self._clock, every, dispatcher.wake, stop))

    def _runner(self, group: str, topic: str, handler: Handler) -> ConsumerRunner:
        member = self._settings.member
        return ConsumerRunner(self._log, group, [topic], handler, member=member, registry=self.metrics)

    def _dispatcher(self, checkpoints: Checkpoints, stack: AsyncExitStack) -> Dispatcher:
        settings = self._settings
        sources = self._sources
        if sources is None:
            sources = load_sources()
            for source in sources.values():
                stack.push_async_callback(source.close)
        self._known = by_platform(sources)
        sessions = self._sessions or self._grpc_sessions(stack)
        collector = Collector(
            checkpoints=checkpoints,
            log=self._log,
            sources=self._known,
            sessions=sessions,
            planner=Planner(checkpoints, self._clock, timedelta(seconds=settings.scraper_overlap_seconds)),
            clock=self._clock,
            topic=settings.kafka_topic_pages,
            metrics=self.metrics,
        )
        return Dispatcher(
            self._name,
            checkpoints,
            collector,
            self._clock,
            slots=settings.scraper_concurrency,
            poll=settings.scraper_poll_seconds,
            lease=self._rules().lease,
            drain=settings.scraper_drain_seconds,
        )

    def _grpc_sessions(self, stack: AsyncExitStack) -> Sessions:
        settings = self._settings
        accounts, proxies = (
            RpcChannel(settings.grpc_target(url), settings.internal_token, patient=True)
            for url in (settings.account_service_url, settings.proxy_service_url)
        )
        self._peers = (accounts.breaker, proxies.breaker)
        watch_breakers(self.metrics, lambda: self._peers)
        stack.push_async_callback(accounts.close)
        stack.push_async_callback(proxies.close)
        return GrpcSessions(accounts, proxies, self._clock, settings.scraper_account_lease_seconds)

    def _rules(self) -> Rules:
        return Rules(
            lease=timedelta(seconds=self._settings.scraper_lease_seconds),
            max_wait=timedelta(hours=self._settings.scraper_max_wait_hours),
        )


def create_worker(
    settings: Settings,
    *,
    log: EventLog,
    clock: Clock | None = None,
    sources: Mapping[str, Source] | None = None,
    sessions: Sessions | None = None,
    metrics: Registry | None = None,
) -> Worker:
    """A worker on `log`; `sources` replaces the installed ones, `sessions` the pools of accounts and proxies."""
    return Worker(settings, log, ServerClock(clock), sources, sessions, metrics=metrics or Registry())


def _waker(dispatcher: Dispatcher) -> Callable[[], None]:
    """Wakes from any thread."""
    loop = asyncio.get_running_loop()

    def wake() -> None:
        with suppress(RuntimeError):  # the loop was closed: nobody is there to wake
            loop.call_soon_threadsafe(dispatcher.wake)

    return wake
