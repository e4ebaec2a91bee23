"""Topics that vanish under way are made again, as they were declared.

What a deleted topic held is gone; what waits in an outbox, or in the topic before it, is published to the new one. The
new one is made a few seconds after it was missed, so that every consumer has seen that the old one is gone: Kafka tells
no consumer that a topic of the same name is another one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress

from xget_events.kafka.access import RETRY_AFTER
from xget_events.kafka.topics import Topics
from xget_events.log import TopicSpec
from xget_kernel.errors import StartupError, Unavailable
from xget_telemetry.logs import get_logger

logger = get_logger(__name__)

GRACE_SECONDS = 2.0
AGAIN_SECONDS = 3.0


class Upkeep:
    """Keeps the topics of `remember`. `trouble` is why it cannot, as a sentence."""

    def __init__(self, topics: Topics) -> None:
        self._topics = topics
        self._specs: dict[str, TopicSpec] = {}
        self._lock = asyncio.Lock()
        self._mending: asyncio.Task[None] | None = None
        self.trouble: str | None = None

    def remember(self, specs: Iterable[TopicSpec]) -> None:
        """These topics are ours. Names are Kafka's."""
        self._specs |= {spec.name: spec for spec in specs}

    async def mend(self, names: Iterable[str]) -> bool:
        """Make those of our topics that are missing; whether there was one.

        Raises errors.Unavailable when Kafka does not answer, or does not let us.
        """
        ours = [self._specs[name] for name in sorted(set(names)) if name in self._specs]
        if not ours:
            return False
        async with self._lock:
            missing = await self._missing(ours)
            if missing:
                await asyncio.sleep(GRACE_SECONDS)
                await self._make(missing)
            self.trouble = None
            return bool(missing)

    def missed(self, names: Iterable[str]) -> None:
        """Somebody reads topics that seem to be missing: look after them, aside."""
        if self._mending is None or self._mending.done():
            self._mending = asyncio.create_task(self._aside([name for name in names if name in self._specs]))

    async def close(self) -> None:
        """Stop what goes on."""
        if self._mending is not None:
            self._mending.cancel()
            await asyncio.gather(self._mending, return_exceptions=True)

    async def _missing(self, specs: Sequence[TopicSpec]) -> list[TopicSpec]:
        known = await self._topics.known(spec.name for spec in specs)
        return [spec for spec in specs if spec.name not in known]

    async def _make(self, specs: Sequence[TopicSpec]) -> None:
        told = ", ".join(spec.name for spec in specs)
        if self.trouble is None:
            logger.warning("event_topic_missing", topics=told, hint="what it held is gone; it is made again")
        try:
            await self._topics.create(specs)
        except StartupError as error:
            if self.trouble != str(error):
                self.trouble = str(error)
                logger.error("event_topic_not_made", reason=self.trouble)
            self.missed([spec.name for spec in specs])
            raise Unavailable(str(error), headers=RETRY_AFTER) from error
        logger.warning("event_topic_made_again", topics=told)

    async def _aside(self, names: Sequence[str]) -> None:
        while True:
            # Told by `trouble`; or it is Kafka that does not answer, which who reads and writes finds out.
            with suppress(Unavailable):
                await self.mend(names)
            await asyncio.sleep(AGAIN_SECONDS)
            if self.trouble is None:
                return
