"""Search on Elasticsearch keeps the contract."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from xget_storage import models, ports
from xget_storage.adapters.elastic_search import ElasticSearch
from xget_storage.service.analysis import Analyzer
from xget_testing.contracts.search import SearchIndexContract
from xget_testing.elastic import fresh_prefix


@pytest.mark.connected("elasticsearch")
class TestElasticSearch(SearchIndexContract):
    ports = ports
    models = models

    @pytest.fixture
    async def prefix(self, elasticsearch_url: str) -> AsyncIterator[str]:
        async with fresh_prefix(elasticsearch_url) as prefix:
            yield prefix

    @pytest.fixture
    async def index(self, elasticsearch_url: str, prefix: str) -> AsyncIterator[ElasticSearch]:
        search = ElasticSearch(elasticsearch_url, Analyzer(), prefix=prefix, refresh=True)
        await search.open()
        yield search
        await search.close()

    @pytest.fixture
    async def other(self, elasticsearch_url: str, prefix: str, index: ElasticSearch) -> AsyncIterator[ElasticSearch]:
        search = ElasticSearch(elasticsearch_url, Analyzer(), prefix=prefix, refresh=True)
        await search.open()
        yield search
        await search.close()
