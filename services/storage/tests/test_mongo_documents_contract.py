"""The document store on MongoDB keeps the contract."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from xget_storage import models, ports
from xget_storage.adapters.mongo import MongoServer
from xget_storage.adapters.mongo_documents import MongoDocuments
from xget_testing.contracts.documents import DocumentStoreContract


@pytest.mark.connected("mongodb")
class TestMongoDocuments(DocumentStoreContract):
    models = models
    ports = ports

    @pytest.fixture
    async def store(self, mongo: MongoServer) -> AsyncIterator[MongoDocuments]:
        documents = MongoDocuments(mongo)
        await documents.open()
        yield documents
        await documents.close()
