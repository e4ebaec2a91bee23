"""What engines of the target hold already."""

from __future__ import annotations

from xget_events.log import DLQ_SUFFIX
from xget_kernel.settings import ServiceSettings
from xget_standalone.probes.topics import sizes
from xget_standalone.topics import named_topics
from xget_storage.adapters.elastic_search.connection import Connection
from xget_storage.adapters.elastic_search.layout import Names
from xget_storage.adapters.elastic_search.opening import Opening
from xget_storage.adapters.mongo_documents.importing import MongoArchive


async def on_mongo(archive: MongoArchive) -> dict[str, int]:
    """Documents in each collection. Raises Unavailable."""
    return {f"documents.{name}": number for name, number in (await archive.counts()).items()}


async def on_elasticsearch(settings: ServiceSettings) -> dict[str, int]:
    """Entries of the index. Raises StartupError, Unavailable."""
    url = settings.elasticsearch_url.reveal() if settings.elasticsearch_url else ""
    connection = Connection(url)
    found: list[int] = []

    async def count() -> None:
        index = Names(settings.elasticsearch_index).read
        answer = await connection.client.count(index=index, ignore_unavailable=True, allow_no_indices=True)
        found.append(int(answer["count"]))

    try:
        await Opening(connection, count).now()
    finally:
        await connection.close()
    return {"search.index": found[-1]} if found[-1] else {}


async def on_kafka(settings: ServiceSettings) -> dict[str, int]:
    """Records in each topic of the release. Raises StartupError, Unavailable."""
    names = [spec.name for spec in named_topics(settings)]
    found = await sizes(settings, names + [name + DLQ_SUFFIX for name in names])
    return {f"events.{topic}": number for topic, number in found.items() if number}
