"""What is in the engines themselves, whatever XGet says about it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import httpx2 as httpx
import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from pymongo import MongoClient

T = TypeVar("T")
MOST_HITS: Final = 10_000


class _Page(msgspec.Struct):
    execution_id: str
    page_no: int


@dataclass(frozen=True)
class Evidence:
    """Reads under the names that `env` (of `own_names`) gives."""

    env: Mapping[str, str]

    def sightings(self) -> list[dict[str, Any]]:
        """Execution `e`, item `k`, and `m` of those that answer the task: what each execution has seen."""
        return self._documents("sightings", {"e": 1, "k": 1, "m": 1})

    def items(self) -> set[str]:
        """Keys of all items."""
        return {str(one["_id"]) for one in self._documents("items", {"_id": 1})}

    def searchable(self) -> set[str]:
        """Keys of all items that search has."""
        url = f"{self.env['ELASTICSEARCH_URL']}/{self.env['ELASTICSEARCH_INDEX']}-items/_search"
        body = {"size": MOST_HITS, "_source": ["key"], "track_total_hits": True}
        with httpx.Client(timeout=60, trust_env=False) as client:
            found = client.post(url, json=body).raise_for_status().json()["hits"]
        assert found["total"]["value"] <= MOST_HITS, "more than one answer of Elasticsearch holds: collect less"
        return {str(hit["_source"]["key"]) for hit in found["hits"]}

    def pages(self, topic: str) -> dict[str, list[int]]:
        """Numbers of the pages in a topic, by execution, in the order in which they stand there."""
        found: dict[str, list[int]] = {}
        for raw in self._in_thread(self._records(topic)):
            page = msgspec.json.decode(raw, type=_Page)
            found.setdefault(page.execution_id, []).append(page.page_no)
        return found

    def dead_letters(self) -> dict[str, int]:
        """Records in each dead-letter topic that has any."""
        return self._in_thread(self._dead_letters())

    async def _dead_letters(self) -> dict[str, int]:
        async with self._reader(".dlq") as (consumer, places):
            ends = await consumer.end_offsets(places)
        found: Counter[str] = Counter()
        for place, end in ends.items():
            found[place.topic] += end
        return dict(+found)

    async def _records(self, topic: str) -> list[bytes]:
        found: list[bytes] = []
        async with self._reader(topic) as (consumer, places):
            ends = await consumer.end_offsets(places)
            for place in places:
                while await consumer.position(place) < ends[place]:
                    for records in (await consumer.getmany(timeout_ms=1000)).values():
                        found += [record.value for record in records if record.value]
        return found

    @asynccontextmanager
    async def _reader(self, ending: str) -> AsyncIterator[tuple[AIOKafkaConsumer, list[TopicPartition]]]:
        """A consumer of nobody's group, at the beginning of all partitions of our topics whose names end so."""
        servers, prefix = self.env["KAFKA_BOOTSTRAP_SERVERS"], self.env["KAFKA_PREFIX"]
        admin = AIOKafkaAdminClient(bootstrap_servers=servers)
        consumer = AIOKafkaConsumer(bootstrap_servers=servers, auto_offset_reset="earliest")
        try:
            await admin.start()
            names = [name for name in await admin.list_topics() if name.startswith(prefix) and name.endswith(ending)]
            places = [
                TopicPartition(topic["topic"], part["partition"])
                for topic in await admin.describe_topics(names)
                for part in topic["partitions"]
            ]
            assert places, f"there is no topic {prefix}…{ending}"
            await consumer.start()
            consumer.assign(places)
            yield consumer, places
        finally:
            await consumer.stop()
            await admin.close()

    @staticmethod
    def _in_thread(work: Coroutine[Any, Any, T]) -> T:
        """Run on a loop of its own: the test may have one already."""
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(lambda: asyncio.run(work)).result()

    def _documents(self, collection: str, fields: dict[str, int]) -> list[dict[str, Any]]:
        with MongoClient[dict[str, Any]](self.env["MONGODB_URL"]) as mongo:
            return list(mongo[self.env["MONGODB_DB"]][collection].find({}, fields))
