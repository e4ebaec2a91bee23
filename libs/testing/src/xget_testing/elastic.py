"""Names of one's own in a shared Elasticsearch."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from elasticsearch import AsyncElasticsearch

from xget_kernel.ids import new_id


@asynccontextmanager
async def fresh_prefix(url: str) -> AsyncIterator[str]:
    """A first part of names that nobody has; at the end everything that bears it is deleted."""
    prefix = f"test-{new_id()}"
    try:
        yield prefix
    finally:
        async with AsyncElasticsearch(url, request_timeout=30) as client:
            found = await client.indices.get(index=f"{prefix}*", expand_wildcards="all", features=["aliases"])
            if found.keys():
                await client.indices.delete(index=list(found.keys()), ignore_unavailable=True)
            templates = await client.indices.get_index_template(name=f"{prefix}*")
            for template in templates["index_templates"]:
                await client.indices.delete_index_template(name=template["name"])
