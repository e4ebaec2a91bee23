"""The three stores, each on the engine that the settings select."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Protocol, TypeVar

from xget_kernel.breaker import Breaker
from xget_kernel.secrets import Secret
from xget_storage.adapters.elastic_search import ElasticSearch
from xget_storage.adapters.mongo import opened_mongo
from xget_storage.adapters.mongo_documents import MongoDocuments
from xget_storage.adapters.mongo_raw_pages import MongoRawPages
from xget_storage.adapters.sqlite_documents import SqliteDocuments
from xget_storage.adapters.sqlite_raw_pages import SqliteRawPages
from xget_storage.adapters.sqlite_search import SqliteSearch
from xget_storage.ports import DocumentStore, RawPageStore, SearchIndex
from xget_storage.service.analysis import Analyzer
from xget_storage.settings import Settings
from xget_telemetry.metrics import Registry


class _Openable(Protocol):
    async def open(self) -> None: ...

    async def close(self) -> None: ...


_Store = TypeVar("_Store", bound=_Openable)


@dataclass(frozen=True, slots=True)
class Stores:
    """Open stores, and the analyzer that search and highlights share."""

    documents: DocumentStore
    search: SearchIndex
    raw_pages: RawPageStore
    analyzer: Analyzer

    @classmethod
    @asynccontextmanager
    async def opened(
        cls, settings: Settings, metrics: Registry | None = None, *, search_later: bool = False
    ) -> AsyncIterator[Stores]:
        """The stores that `settings` select, closed at the end; what they measure goes to `metrics`.

        With `search_later` a search engine that does not answer is waited for in the background. Raises StartupError
        when an engine cannot be used, or a newer version wrote what it holds.
        """
        analyzer = Analyzer()
        async with AsyncExitStack() as stack:
            documents, raw_pages = await _documents(settings, stack)
            if settings.elasticsearch_url is None:
                search: SearchIndex = await _open(SqliteSearch(settings.home / "search.db", analyzer), stack)
            else:
                search = await _elastic(
                    settings.elasticsearch_url, settings, analyzer, metrics, stack, later=search_later
                )
            yield cls(documents, search, raw_pages, analyzer)

    @property
    def breakers(self) -> tuple[Breaker, ...]:
        """The ways to engines that are guarded."""
        return (self.search.breaker,) if isinstance(self.search, ElasticSearch) else ()

    @property
    def search_trouble(self) -> str | None:
        """Why search cannot be used since the start, as a sentence."""
        return self.search.trouble if isinstance(self.search, ElasticSearch) else None


async def _documents(settings: Settings, stack: AsyncExitStack) -> tuple[DocumentStore, RawPageStore]:
    if settings.is_real("documents"):
        server = await stack.enter_async_context(opened_mongo(settings))
        return await _open(MongoDocuments(server), stack), await _open(MongoRawPages(server), stack)
    return (
        await _open(SqliteDocuments(settings.home / "documents.db"), stack),
        await _open(SqliteRawPages(settings.home / "raw_pages.db"), stack),
    )


async def _elastic(
    url: Secret,
    settings: Settings,
    analyzer: Analyzer,
    metrics: Registry | None,
    stack: AsyncExitStack,
    *,
    later: bool,
) -> ElasticSearch:
    search = ElasticSearch(url.reveal(), analyzer, prefix=settings.elasticsearch_index, registry=metrics)
    stack.push_async_callback(search.close)
    await (search.open_soon() if later else search.open())
    return search


async def _open(store: _Store, stack: AsyncExitStack) -> _Store:
    stack.push_async_callback(store.close)
    await store.open()
    return store
