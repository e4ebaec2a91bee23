"""What the stores on MongoDB share: the client, the layout, errors, and writing without transactions."""

from xget_storage.adapters.mongo.client import MongoServer, opened_mongo

__all__ = ["MongoServer", "opened_mongo"]
