"""The event log on Kafka 2.8 or newer, through aiokafka.

What a kill leaves. A process: what it published before `publish` returned is on all in-sync replicas; of a publish
under way any first part of each partition's messages may be there, in order (a prefix: no transaction spans a publish,
since consumers are idempotent). Its partitions pass on when its session ends, under the same member name at once.
The broker: a publish or commit under way waits for it, or fails with `errors.Unavailable` and is tried again by who
called, so that a message may be there twice, never not at all, and never ahead of one of its key that was sent before
it; producers and consumers connect again by themselves. A topic that somebody deletes: what it held is gone, it is made
again as it was declared, and what was not published yet goes to the new one (`upkeep`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec

from xget_events.errors import LogClosed, MessageTooLarge, UnknownTopic
from xget_events.kafka.access import Access, lacks_topic
from xget_events.kafka.backlog import Backlog
from xget_events.kafka.consumer import KafkaConsumer
from xget_events.kafka.membership import Membership
from xget_events.kafka.publisher import Publisher, Row
from xget_events.kafka.topics import TopicInfo, Topics
from xget_events.kafka.upkeep import Upkeep
from xget_events.log import TopicSpec, by_topic, partition_of
from xget_kernel.engines import EngineSettings
from xget_kernel.errors import Unavailable, XGetError
from xget_kernel.messages import Message


class KafkaEventLog:
    """An EventLog on the Kafka that `settings` name. Nothing connects before the first use. Use from one event loop.

    A member that is silent for `lease_seconds` loses its partitions; brokers allow no less than 6 by default.
    """

    def __init__(self, settings: EngineSettings, *, lease_seconds: float = 6.0) -> None:
        self._access = Access(settings)
        self._lease = lease_seconds
        self._topics = Topics(self._access)
        self._backlog = Backlog(self._access, self._topics)
        self._upkeep = Upkeep(self._topics)
        self._publisher = Publisher(self._access)
        self._known: dict[str, TopicInfo] = {}
        self._consumers: set[KafkaConsumer] = set()
        self._started = False
        self._closed = False

    async def create_topics(self, specs: Sequence[TopicSpec]) -> None:
        """Make the topics that are missing, each with its `.dlq`; one that exists stays as it is.

        Waits for Kafka for about 10 s. Raises StartupError when it does not answer, refuses the login or the topic.
        """
        self._check_open()
        if not self._started:
            await self._topics.start()
            self._started = True
        both = [self._own(spec) for given in specs for spec in (given, given.dlq) if spec is not None]
        if both:
            await self._topics.create(both)
            self._upkeep.remember(both)
            self._known |= await self._topics.known(spec.name for spec in both)

    async def publish(self, messages: Sequence[Message]) -> None:
        """Append messages in order; all in-sync replicas have them at return.

        All are checked before the first is sent. After errors.Unavailable a first part of each partition's messages may
        be there: publish all of them again. Raises UnknownTopic, MessageTooLarge, errors.Unavailable.
        """
        self._check_open()
        if not messages:
            return
        names = {self._access.prefix + message.topic for message in messages}
        if not names <= self._known.keys():
            await self._learn(names)
        doing = f"publish to {', '.join(sorted(names))}"
        try:
            await self._publisher.publish([self._row(message) for message in messages], doing)
        except (UnknownTopic, Unavailable) as error:
            if not await self._mended(names, error):
                raise
            await self._publisher.publish([self._row(message) for message in messages], doing)

    async def _learn(self, names: set[str]) -> None:
        found = await self._topics.known(names)
        if not names <= found.keys() and await self._upkeep.mend(names):
            found = await self._topics.known(names)
        self._known |= found

    async def _mended(self, names: set[str], error: XGetError) -> bool:
        """Whether a publish failed for topics that were missing, and they are there again."""
        if not lacks_topic(error.__cause__):
            return False
        for name in names:
            self._known.pop(name, None)
        try:
            mended = await self._upkeep.mend(names)
            self._known |= await self._topics.known(names)
        except Unavailable:
            if self._upkeep.trouble:
                raise
            return False
        return mended

    def consumer(self, group: str, topics: Sequence[str], *, member: str | None = None) -> KafkaConsumer:
        """A new member of a group; it joins when it is entered or first polled. Topics may be made later."""
        prefix = self._access.prefix
        membership = Membership(self._access, prefix + group, member, self._lease)
        own = [prefix + topic for topic in topics]
        consumer = KafkaConsumer(membership, own, self._consumers.discard, self._upkeep.missed)
        self._consumers.add(consumer)
        return consumer

    async def lag(self, group: str) -> dict[str, int]:
        """Records that the group has not committed, by topic; empty for a group that never read."""
        return by_topic(await self.lag_by_partition(group))

    async def lag_by_partition(self, group: str) -> dict[tuple[str, int], int]:
        """The same by topic and partition."""
        self._check_open()
        found = await self._backlog.of(self._access.prefix + group)
        return {(place.topic.removeprefix(self._access.prefix), place.partition): n for place, n in found.items()}

    async def close(self, *, release: bool = True) -> None:
        """Finish publishes, close consumers. `release=False` leaves as a dead process would."""
        if self._closed:
            return
        self._closed = True
        await asyncio.gather(*(consumer.close(leave=release) for consumer in list(self._consumers)))
        await self._upkeep.close()
        await self._publisher.close()
        await self._backlog.close()
        await self._topics.close()

    @property
    def trouble(self) -> str | None:
        """Why topics are missing although Kafka answers, as a sentence."""
        return self._upkeep.trouble

    async def stall(self) -> None:
        """Let the consumers of this log send no heartbeats; for trials."""
        for consumer in list(self._consumers):
            await consumer.stall()

    def _own(self, spec: TopicSpec) -> TopicSpec:
        return msgspec.structs.replace(spec, name=self._access.prefix + spec.name)

    def _row(self, message: Message) -> Row:
        name = self._access.prefix + message.topic
        topic = self._known.get(name)
        if topic is None:
            raise UnknownTopic(f"There is no topic {message.topic}: create it before publishing to it.")
        if len(message.value) > topic.max_bytes:
            size, most = len(message.value), topic.max_bytes >> 20
            raise MessageTooLarge(f"A message of {size} bytes is too large for {message.topic}: at most {most} MB.")
        return Row(
            name,
            partition_of(message.key, topic.partitions),
            message.key.encode(),
            message.value,
            [(header, value.encode()) for header, value in message.headers.items()],
        )

    def _check_open(self) -> None:
        if self._closed:
            raise LogClosed("The event log is closed.")
