"""The connection: one client per event loop, bounded in connections and time.

Writes are acknowledged by a majority and on disk (`w=majority`, `j=true`); reads come from the primary and, where the
server takes it, see only what a majority has. So what was answered survives kill -9 of this process, of the server,
and the loss of a minority of a replica set.
"""

from __future__ import annotations

import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from bson.codec_options import TypeDecoder, TypeRegistry
from bson.int64 import Int64
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import InvalidName, InvalidURI, OperationFailure, PyMongoError
from pymongo.read_concern import ReadConcern

from xget_kernel.engines import masked
from xget_kernel.errors import StartupError
from xget_storage.adapters.mongo.errors import refused_at_start
from xget_storage.settings import Settings

Document = dict[str, Any]
Database = AsyncDatabase[Document]

OLDEST: Final = (5, 0)
_SELECT_MS: Final = 5_000
_SOCKET_MS: Final = 10_000
_POOL: Final = 16


@dataclass(frozen=True, slots=True)
class MongoServer:
    """A database that answers, is new enough and may be written to."""

    database: Database
    address: str
    """The URL without credentials."""


@asynccontextmanager
async def opened_mongo(settings: Settings) -> AsyncIterator[MongoServer]:
    """The server that `settings.mongodb_url` names, for the running loop; closed at the end.

    Raises StartupError, naming MONGODB_URL and the masked address, for a bad URL, a server that does not answer within
    10 seconds, refuses the login, or is older than 5.0.
    """
    url = settings.mongodb_url.reveal() if settings.mongodb_url else ""
    address = masked(url)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # the driver only warns of options that it will not heed
            client = _client(url)
    except UserWarning as error:
        raise StartupError(f"MONGODB_URL has a wrong option ({str(error).partition('. ')[0]}): correct it.") from error
    except (PyMongoError, ValueError, TypeError) as error:
        raise _bad_url(error, address) from error
    try:
        try:
            yield await _checked(client, settings.mongodb_db, address)
        except InvalidName as error:
            raise StartupError("MONGODB_DB is no name of a database: use letters, digits, dashes.") from error
    finally:
        await client.close()


def _client(url: str) -> AsyncMongoClient[Document]:
    return AsyncMongoClient(
        url,
        appname="xget-storage",
        w="majority",
        journal=True,
        readPreference="primary",
        retryWrites=True,
        retryReads=True,
        serverMonitoringMode="poll",  # one watching connection instead of three; a failed call looks at once anyway
        serverSelectionTimeoutMS=_SELECT_MS,
        connectTimeoutMS=_SELECT_MS,
        socketTimeoutMS=_SOCKET_MS * 3,
        maxPoolSize=_POOL,
        type_registry=TypeRegistry([_PlainInt()]),
    )


class _PlainInt(TypeDecoder):
    """Numbers of 64 bits as plain ones: events are made of what is stored, and no encoder knows the driver's own."""

    bson_type = Int64

    def transform_bson(self, value: int) -> int:
        return int(value)


def _bad_url(error: Exception, address: str) -> StartupError:
    if address.startswith("mongodb+srv://") and not isinstance(error, InvalidURI):
        return StartupError(f"No server of MongoDB is found by the DNS for {address}: correct MONGODB_URL.")
    if isinstance(error, PyMongoError):
        return refused_at_start(error, address)
    return StartupError("MONGODB_URL is no URL of MongoDB: write it like mongodb://user:password@host:27017/xget.")


async def _checked(client: AsyncMongoClient[Document], name: str, address: str) -> MongoServer:
    database = client.get_default_database(name)
    try:
        version = str((await client.server_info())["version"])
        refuse_old(version, address)
        await database["executions"].find_one({"_id": ""}, {"_id": 1})
    except PyMongoError as error:
        raise refused_at_start(error, address) from error
    return MongoServer(await _majority_reads(database), address)


def refuse_old(version: str, address: str) -> None:
    """Raise StartupError for a version before the oldest one that works."""
    parts = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if parts < OLDEST:
        raise StartupError(
            f"MongoDB at {address} is version {version}, and XGet needs 5.0 or newer: upgrade it, "
            "or name another server in MONGODB_URL."
        )


async def _majority_reads(database: Database) -> Database:
    majority = database.with_options(read_concern=ReadConcern("majority"))
    try:
        await majority["executions"].find_one({"_id": ""}, {"_id": 1})
    except OperationFailure:
        return database
    return majority
