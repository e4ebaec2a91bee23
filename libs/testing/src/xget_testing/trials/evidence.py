"""What is in the engines themselves, whatever XGet says about it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import httpx2 as httpx
from aiokafka import AIOKafkaConsumer, TopicPartition
from pymongo import MongoClient


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
        found: set[str] = set()
        body: dict[str, Any] = {"size": 5000, "_source": ["key"], "sort": [{"at": "desc"}, {"_doc": "asc"}]}
        with httpx.Client(timeout=30, trust_env=False) as client:
            total = client.post(url, json={"size": 0, "track_total_hits": True}).raise_for_status().json()
            body["size"] = max(1, min(10_000, total["hits"]["total"]["value"]))
            hits = client.post(url, json=body).raise_for_status().json()["hits"]["hits"]
        found.update(str(hit["_source"]["key"]) for hit in hits)
        return found

    def dead_letters(self) -> dict[str, int]:
        """Records in each dead-letter topic that has any."""
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(lambda: asyncio.run(self._dead_letters())).result()

    async def _dead_letters(self) -> dict[str, int]:
        consumer = AIOKafkaConsumer(bootstrap_servers=self.env["KAFKA_BOOTSTRAP_SERVERS"])
        await consumer.start()
        try:
            prefix = self.env["KAFKA_PREFIX"]
            names = [t for t in await consumer.topics() if t.startswith(prefix) and t.endswith(".dlq")]
            places = [TopicPartition(t, n) for t in names for n in consumer.partitions_for_topic(t) or ()]
            assert names, "the topics are gone"
            ends = await consumer.end_offsets(places)
        finally:
            await consumer.stop()
        return {place.topic: end for place, end in ends.items() if end}

    def _documents(self, collection: str, fields: dict[str, int]) -> list[dict[str, Any]]:
        with MongoClient[dict[str, Any]](self.env["MONGODB_URL"]) as mongo:
            return list(mongo[self.env["MONGODB_DB"]][collection].find({}, fields))
