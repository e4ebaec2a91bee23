"""Names of a test's own on shared engines, as settings; what was made under them is dropped at the end."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Callable, Coroutine, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import httpx2 as httpx
from aiokafka.admin import AIOKafkaAdminClient
from pymongo import MongoClient
from redis import Redis

_Work = Callable[[Mapping[str, str], str], Coroutine[Any, Any, None]]


@contextmanager
def own_names(urls: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """The environment that selects the engines of `urls` (as `XGET_ENGINES` names them), each under a random name."""
    name = f"t{secrets.token_hex(6)}"
    _in_thread(_prepare, urls, name)
    try:
        yield _environment(urls, name)
    finally:
        _in_thread(_drop, urls, name)


def _environment(urls: Mapping[str, str], name: str) -> dict[str, str]:
    env = {}
    if "postgres" in urls:
        env["DATABASE_URL"] = urlunsplit(urlsplit(urls["postgres"])._replace(path=f"/{name}"))
    if "mongodb" in urls:
        env |= {"MONGODB_URL": urls["mongodb"], "MONGODB_DB": name}
    if "elasticsearch" in urls:
        env |= {"ELASTICSEARCH_URL": urls["elasticsearch"], "ELASTICSEARCH_INDEX": name}
    if "redis" in urls:
        env |= {"REDIS_URL": urls["redis"], "REDIS_PREFIX": name}
    if "kafka" in urls:
        env |= {"KAFKA_BOOTSTRAP_SERVERS": urls["kafka"], "KAFKA_PREFIX": f"{name}."}
    return env


async def _prepare(urls: Mapping[str, str], name: str) -> None:
    if "postgres" in urls:
        await _on_postgres(urls["postgres"], f'CREATE DATABASE "{name}"')


async def _drop(urls: Mapping[str, str], name: str) -> None:
    if "postgres" in urls:
        await _on_postgres(urls["postgres"], f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    if "mongodb" in urls and os.environ.get("XGET_ENGINES_PASS") != "1":
        # The stand-in deletes document by document, for a minute after a large trial, and answers nobody meanwhile.
        with MongoClient[dict[str, object]](urls["mongodb"]) as mongo:
            mongo.drop_database(name)
    if "elasticsearch" in urls:
        _drop_indexes(urls["elasticsearch"], name)
    if "redis" in urls:
        with Redis.from_url(urls["redis"]) as redis:
            keys = list(redis.scan_iter(f"{name}*"))
            if keys:
                redis.delete(*keys)
    if "kafka" in urls:
        await _drop_topics(urls["kafka"], f"{name}.")


async def _on_postgres(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def _drop_indexes(url: str, name: str) -> None:
    with httpx.Client(base_url=url, timeout=120, trust_env=False) as client:
        found = (
            client.get("/_cat/indices", params={"h": "index", "format": "json", "expand_wildcards": "all"})
            .raise_for_status()
            .json()
        )
        for index in (row["index"] for row in found):
            if index.startswith(name):
                client.delete(f"/{index}", params={"ignore_unavailable": "true"})
        templates = client.get("/_index_template").raise_for_status().json()["index_templates"]
        for template in (row["name"] for row in templates):
            if template.startswith(name):
                client.delete(f"/_index_template/{template}")


async def _drop_topics(servers: str, prefix: str) -> None:
    client = AIOKafkaAdminClient(bootstrap_servers=servers)
    try:
        await client.start()
        topics = [topic for topic in await client.list_topics() if topic.startswith(prefix)]
        if topics:
            await client.delete_topics(topics)
    finally:
        await client.close()


def _in_thread(
    work: Callable[[Mapping[str, str], str], Coroutine[Any, Any, None]], urls: Mapping[str, str], name: str
) -> None:
    """Run on a loop of its own: the test may have one already."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: asyncio.run(work(urls, name))).result()
