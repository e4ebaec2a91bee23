"""Records of another store, brought into MongoDB."""

from xget_storage.adapters.mongo_documents.importing.archive import MongoArchive

__all__ = ["MongoArchive"]
