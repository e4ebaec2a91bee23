"""The document store on SQLite keeps the contract."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from xget_storage import models, ports
from xget_storage.adapters.sqlite_documents import SqliteDocuments
from xget_testing.contracts.documents import DocumentStoreContract


class TestSqliteDocuments(DocumentStoreContract):
    models = models
    ports = ports

    @pytest.fixture
    async def store(self, tmp_path: Path) -> AsyncIterator[SqliteDocuments]:
        documents = SqliteDocuments(tmp_path / "documents.db")
        yield documents
        await documents.close()
