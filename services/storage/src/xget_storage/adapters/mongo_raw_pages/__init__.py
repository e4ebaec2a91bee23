"""Raw pages in MongoDB."""

from xget_storage.adapters.mongo_raw_pages.store import MongoRawPages

__all__ = ["MongoRawPages"]
