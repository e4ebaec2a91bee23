"""Who has which partitions, as Kafka itself sees its consumer groups."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment

T = TypeVar("T")
Place = tuple[str, int]
"""A topic, by Kafka's name of it, and a partition."""
LOOK_SECONDS = 0.1


class Groups:
    """Groups by their names in XGet, under the names that `env` (of `own_names`) gives."""

    def __init__(self, env: Mapping[str, str], names: Sequence[str]) -> None:
        self._servers = env["KAFKA_BOOTSTRAP_SERVERS"]
        self._ids = [env["KAFKA_PREFIX"] + name for name in names]

    def shares(self) -> dict[str, dict[str, set[Place]]]:
        """What each member of each group has been given; a group that is sharing anew has no entry."""
        return _in_thread(self._shares_once())

    def taken_over(self, dead: str, before: Mapping[str, Mapping[str, set[Place]]], deadline: float) -> bool:
        """Whether by `deadline` no group has the member `dead` and the living have all that `before` shares out."""
        return _in_thread(self._taken_over(dead, before, deadline))

    async def _shares_once(self) -> dict[str, dict[str, set[Place]]]:
        async with self._admin() as admin:
            return await self._shares(admin)

    async def _taken_over(self, dead: str, before: Mapping[str, Mapping[str, set[Place]]], deadline: float) -> bool:
        async with self._admin() as admin:
            while True:
                now = await self._shares(admin)
                if all(_passed_on(dead, members, now.get(group, {})) for group, members in before.items()):
                    return time.monotonic() <= deadline
                if time.monotonic() > deadline:
                    return False
                await asyncio.sleep(LOOK_SECONDS)

    async def _shares(self, admin: AIOKafkaAdminClient) -> dict[str, dict[str, set[Place]]]:
        found: dict[str, dict[str, set[Place]]] = {}
        for asked in self._ids:  # one by one: aiokafka 0.14 misreads an answer about several
            (answer,) = await admin.describe_consumer_groups([asked])
            for _, group, state, _, _, members, *_ in answer.groups:
                if state == "Stable":
                    found[group] = {client: _places(share) for _, client, _, _, share in members}
        return found

    @asynccontextmanager
    async def _admin(self) -> AsyncIterator[AIOKafkaAdminClient]:
        admin = AIOKafkaAdminClient(bootstrap_servers=self._servers)
        try:
            await admin.start()
            yield admin
        finally:
            await admin.close()


def _passed_on(dead: str, before: Mapping[str, set[Place]], now: Mapping[str, set[Place]]) -> bool:
    return dead not in now and set().union(*before.values()) == set().union(*now.values())


def _places(share: bytes) -> set[Place]:
    if not share:
        return set()
    given = ConsumerProtocolMemberAssignment.decode(share).assignment
    return {(topic, part) for topic, parts in given for part in parts}


def _in_thread(work: Coroutine[Any, Any, T]) -> T:
    """Run on a loop of its own: the test may have one already."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: asyncio.run(work)).result()
