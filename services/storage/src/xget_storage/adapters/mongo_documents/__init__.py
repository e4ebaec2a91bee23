"""Documents in MongoDB."""

from xget_storage.adapters.mongo_documents.store import MongoDocuments

__all__ = ["MongoDocuments"]
