"""Drives a handler over a consumer group: batches, retries, dead letters, clean stops."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from xget_events.errors import Fenced, LogClosed, PoisonMessage
from xget_events.failures import is_infrastructure
from xget_events.log import DLQ_SUFFIX, Consumer, EventLog, Record
from xget_events.metrics import RunnerMetrics
from xget_events.tracing import traced
from xget_kernel.errors import XGetError
from xget_kernel.messages import Message
from xget_telemetry.logs import get_logger
from xget_telemetry.metrics import Registry

T = TypeVar("T")

Handler = Callable[[list[Record]], Awaitable[None]]
"""Gets a batch in order per partition. Returning means done: it must be durable by then, and idempotent."""

logger = get_logger(__name__)

REASON_CHARS = 2000
LAG_EVERY = 5.0
"""Seconds between two readings of the lag for its gauge."""
LAG_SECONDS = 2.0


class Stopped(Exception):
    """The runner is to stop while a batch still fails; the batch is read again by who comes next."""


class ConsumerRunner:
    """Reads `topics` as a member of `group` and hands batches to `handler`, at least once each.

    A batch that fails is tried `attempts` times with growing pauses, then record by record; a record that fails
    alone as often goes to `<topic>.dlq`. With `dlq=False` it is tried for ever instead. Failures of infrastructure
    (`is_infrastructure`) are always tried for ever and never blamed on a record.
    """

    def __init__(
        self,
        log: EventLog,
        group: str,
        topics: Sequence[str],
        handler: Handler,
        *,
        batch: int = 500,
        dlq: bool = True,
        member: str | None = None,
        attempts: int = 3,
        backoff: float = 0.2,
        max_backoff: float = 5.0,
        registry: Registry | None = None,
    ) -> None:
        self._log = log
        self._group = group
        self._topics = tuple(topics)
        self._handler = handler
        self._batch = batch
        self._dlq = dlq
        self._member = member
        self._attempts = attempts
        self._backoff = backoff
        self._max_backoff = max_backoff
        self._metrics = RunnerMetrics(registry or Registry(), group, self._topics)
        self._lag_at = 0.0

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set; then finish and commit the batch in hand, leave the group and return."""
        consumer = self._log.consumer(self._group, self._topics, member=self._member)
        try:
            while not stop.is_set():
                records = await self._for_ever(lambda: _unless(stop, consumer.poll(self._batch)), stop)
                if records:
                    await self._work(consumer, records, stop)
                await self._report_lag()
        except Stopped:
            logger.info("event_batch_left", group=self._group)
        finally:
            await self._leave(consumer)

    async def _work(self, consumer: Consumer, records: list[Record], stop: asyncio.Event) -> None:
        began = time.monotonic()
        with traced(self._group, records) as carrying:
            await self._handle(carrying, stop)
        try:
            await self._for_ever(lambda: consumer.commit(records), stop)
        except Fenced as error:
            # Handled once here and once more by the new owner: handlers are idempotent.
            self._metrics.fenced()
            logger.warning("event_commit_fenced", group=self._group, reason=error.detail)
            return
        self._metrics.took(time.monotonic() - began)
        for topic, count in Counter(record.topic for record in records).items():
            self._metrics.handled(topic, count)

    async def _handle(self, records: list[Record], stop: asyncio.Event) -> None:
        """Get a batch done: as a whole if it can be, without those that are called poison, else one by one."""
        while True:
            error = await self._try(records, stop) if records else None
            if error is None:
                return
            poison = _named(error, records)
            if poison is None:
                break
            await self._bury(poison, _reason(error), stop)
            records = [record for record in records if record is not poison]
        logger.warning("event_batch_taken_apart", group=self._group, records=len(records), reason=repr(error))
        for record in records:
            failure = await self._try([record], stop, give_up=self._dlq)
            if failure is not None:
                await self._bury(record, _reason(failure), stop)

    async def _try(self, records: list[Record], stop: asyncio.Event, *, give_up: bool = True) -> Exception | None:
        """Call the handler until it succeeds (None) or the records are to blame (the last error)."""
        failures = tries = 0
        while True:
            try:
                await self._handler(records)
            except PoisonMessage as error:
                if self._dlq:
                    return error
                failure: Exception = error
            except Exception as error:  # noqa: BLE001 - whatever a handler raises is judged here
                failure = error
            else:
                return None
            tries += 1
            if not is_infrastructure(failure):
                failures += 1
                if give_up and failures >= self._attempts:
                    return failure
            self._metrics.retried()
            logger.warning("event_batch_retried", group=self._group, records=len(records), reason=repr(failure))
            await self._pause(tries, stop)

    async def _bury(self, record: Record, reason: str, stop: asyncio.Event) -> None:
        """Put a record with the reason into its dead-letter topic, durably."""
        headers = record.headers | {
            "xget-reason": reason[:REASON_CHARS],
            "xget-group": self._group,
            "xget-topic": record.topic,
            "xget-partition": str(record.partition),
            "xget-offset": str(record.offset),
        }
        letter = Message(record.topic + DLQ_SUFFIX, record.key, record.value, headers)
        await self._for_ever(lambda: self._log.publish([letter]), stop)
        self._metrics.dead(record.topic)
        logger.error("event_dead_lettered", group=self._group, topic=record.topic, offset=record.offset, reason=reason)

    async def _for_ever(self, call: Callable[[], Awaitable[T]], stop: asyncio.Event) -> T:
        """Call the log until its infrastructure answers."""
        tries = 0
        while True:
            try:
                return await call()
            except Exception as error:
                if not is_infrastructure(error) or isinstance(error, LogClosed):
                    raise
                tries += 1
                logger.warning("event_log_retried", group=self._group, reason=str(error))
            await self._pause(tries, stop)

    async def _pause(self, tries: int, stop: asyncio.Event) -> None:
        """Wait longer with each try, with jitter; raises Stopped when there is no time left for another."""
        seconds = min(self._backoff * 2 ** min(tries - 1, 16), self._max_backoff) * random.uniform(0.5, 1.0)
        try:
            async with asyncio.timeout(seconds):
                await stop.wait()
        except TimeoutError:
            return
        raise Stopped

    async def _leave(self, consumer: Consumer) -> None:
        try:
            await consumer.close()
        except XGetError as error:
            # Its lease runs out by itself.
            logger.warning("event_consumer_not_released", group=self._group, reason=error.detail)

    async def _report_lag(self) -> None:
        if time.monotonic() >= self._lag_at:
            self._lag_at = time.monotonic() + LAG_EVERY
            # A log that does not answer keeps the figure of before, and no record waiting.
            with suppress(XGetError, TimeoutError):
                async with asyncio.timeout(LAG_SECONDS):
                    self._metrics.lag(await self._log.lag_by_partition(self._group))


async def _unless(stop: asyncio.Event, poll: Coroutine[Any, Any, list[Record]]) -> list[Record]:
    """What the poll finds, or nothing as soon as `stop` is set."""
    polling, stopping = asyncio.ensure_future(poll), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({polling, stopping}, return_when=asyncio.FIRST_COMPLETED)
        return polling.result() if polling.done() else []
    finally:
        polling.cancel()
        stopping.cancel()
        await asyncio.gather(polling, stopping, return_exceptions=True)


def _reason(error: Exception) -> str:
    return error.reason if isinstance(error, PoisonMessage) else f"{type(error).__name__}: {error}"


def _named(error: Exception, records: list[Record]) -> Record | None:
    """The record of the batch that the handler called poison, if it named one."""
    culprit = error.record if isinstance(error, PoisonMessage) else None
    if culprit is None:
        return None
    place = (culprit.topic, culprit.partition, culprit.offset)
    return next((record for record in records if (record.topic, record.partition, record.offset) == place), None)
