"""Topics on Kafka: made as declared, never changed; sizes and partitions as the cluster says."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, NamedTuple, TypeVar

from aiokafka import errors as kafka
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from xget_events.kafka.access import START_SECONDS, Access
from xget_events.log import TopicSpec
from xget_kernel.errors import StartupError, XGetError
from xget_telemetry.logs import get_logger

T = TypeVar("T")

logger = get_logger(__name__)

ROOM = 1 << 20
"""Bytes of a batch beside the largest body: key, headers, framing."""
HOUR_MS = 3_600_000
READY_SECONDS = 10.0


class TopicInfo(NamedTuple):
    """A topic as the cluster has it."""

    partitions: int
    max_bytes: int
    """Longest body."""


class Topics:
    """The admin side of the log. Names are Kafka's, prefix and all. One connection, made when it is needed."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._admin: AIOKafkaAdminClient | None = None
        self._lock = asyncio.Lock()

    async def start(self) -> None:
        """Wait for Kafka for a few seconds. Raises StartupError, naming the setting to correct."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + START_SECONDS
        while True:
            try:
                await self.ask(lambda admin: admin.describe_cluster(), "say which cluster it is")
            except XGetError:
                if loop.time() >= deadline - 3.0:
                    raise await self._access.refusal() from None
                await asyncio.sleep(0.5)
            else:
                return

    async def create(self, specs: Sequence[TopicSpec]) -> None:
        """Make those that are missing and wait until they have leaders. Raises StartupError."""
        known = await self.known(spec.name for spec in specs)
        missing = [spec for spec in specs if spec.name not in known]
        if missing:
            new = [self._new(spec) for spec in missing]
            answer = await self.ask(lambda admin: admin.create_topics(new), "create topics")
            for name, code, *_ in answer.topic_errors:
                self._check(name, kafka.for_code(code), specs)
            await self._until_ready([spec.name for spec in missing])
        for spec in specs:
            info = known.get(spec.name)
            if info is not None and info.max_bytes < spec.max_message_mb << 20:
                logger.warning("event_topic_too_small", topic=spec.name, max_bytes=info.max_bytes)

    async def known(self, names: Iterable[str]) -> dict[str, TopicInfo]:
        """Those of these topics that exist. Raises errors.Unavailable."""
        wanted = sorted(set(names))
        found = await self.ask(lambda admin: admin.describe_topics(wanted), "list topics")
        partitions = {
            topic["topic"]: len(topic["partitions"])
            for topic in found
            if topic["error_code"] == 0 and all(part["leader"] >= 0 for part in topic["partitions"])
        }
        if not partitions:
            return {}
        resources = [ConfigResource(ConfigResourceType.TOPIC, name, {"max.message.bytes": None}) for name in partitions]
        answers = await self.ask(lambda admin: admin.describe_configs(resources), "read the settings of topics")
        limits: dict[str, int] = {}
        for answer in answers:
            for _, _, _, name, entries in answer.resources:
                settings = {entry[0]: entry[1] for entry in entries}
                limits[name] = int(settings.get("max.message.bytes") or (16 << 20) + ROOM)
        return {
            name: TopicInfo(count, max(limits.get(name, (16 << 20) + ROOM) - ROOM, ROOM // 2))
            for name, count in partitions.items()
        }

    async def ask(self, question: Callable[[AIOKafkaAdminClient], Awaitable[T]], doing: str) -> T:
        """Call the admin client, connected anew after a failure. Raises errors.Unavailable."""
        async with self._lock:
            try:
                if self._admin is None:
                    admin = AIOKafkaAdminClient(**self._access.options(request_seconds=5.0), client_id="xget")
                    try:
                        await admin.start()
                    except BaseException:
                        await admin.close()
                        raise
                    self._admin = admin
                async with asyncio.timeout(10.0):
                    return await question(self._admin)
            except (kafka.KafkaError, OSError, TimeoutError, AttributeError) as error:
                # AttributeError: aiokafka asks a controller that it does not know yet.
                await self._drop()
                raise self._access.explained(error, doing) from error

    async def close(self) -> None:
        """Close the connection; the next question opens another."""
        async with self._lock:
            await self._drop()

    async def _drop(self) -> None:
        if self._admin is not None:
            admin, self._admin = self._admin, None
            await admin.close()

    def _new(self, spec: TopicSpec) -> NewTopic:
        retention = int(spec.retention_hours * HOUR_MS) if spec.retention_hours else -1
        settings = {
            "retention.ms": str(retention),
            "max.message.bytes": str((spec.max_message_mb << 20) + ROOM),
            "cleanup.policy": "delete",
        }
        return NewTopic(spec.name, spec.partitions, self._access.replication, topic_configs=settings)

    def _check(self, name: str, error: Any, specs: Sequence[TopicSpec]) -> None:
        if error in (kafka.NoError, kafka.TopicAlreadyExistsError):
            return
        count = next((spec.partitions for spec in specs if spec.name == name), 1)
        if error in (kafka.TopicAuthorizationFailedError, kafka.ClusterAuthorizationFailedError):
            raise StartupError(
                f"Kafka has no topic {name}, and this user may not make it: grant it Create on the cluster, or make"
                f" the topic with {count} partitions."
            )
        if error is kafka.InvalidReplicationFactorError:
            raise StartupError(
                f"Kafka cannot keep {self._access.replication} copies of {name}: correct KAFKA_REPLICATION, or start"
                " more brokers."
            )
        raise StartupError(f"Kafka refuses to make the topic {name} ({error.__name__}): make it by hand, then retry.")

    async def _until_ready(self, names: Sequence[str]) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + READY_SECONDS
        while len(await self.known(names)) < len(set(names)):
            if loop.time() >= deadline:
                raise StartupError(f"Kafka made {', '.join(names)}, but gives them no leader: look at its brokers.")
            await asyncio.sleep(0.1)
