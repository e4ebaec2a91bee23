"""Collections, validators and indexes as data, and applying them as often as one likes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pymongo import IndexModel
from pymongo.errors import CollectionInvalid, OperationFailure, PyMongoError

from xget_kernel.errors import StartupError
from xget_storage.adapters.mongo.client import Database, MongoServer
from xget_storage.adapters.mongo.errors import INDEX_CONFLICTS, NAMESPACE_EXISTS, refused_at_start

NUMBER = {"bsonType": ["int", "long"]}
TEXT = {"bsonType": "string"}


@dataclass(frozen=True, slots=True)
class Index:
    """Keys in order (1 or -1) under a fixed name."""

    name: str
    keys: tuple[tuple[str, int], ...]
    unique: bool = False
    sparse: bool = False

    def model(self) -> IndexModel:
        """As the driver takes it."""
        return IndexModel(list(self.keys), name=self.name, unique=self.unique, sparse=self.sparse)


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection; `required` fields and the types of some make its validator."""

    name: str
    indexes: tuple[Index, ...] = ()
    required: tuple[str, ...] = ()
    types: dict[str, dict[str, Any]] = field(default_factory=dict)

    def validator(self) -> dict[str, Any]:
        """What the server checks on each write, whoever writes."""
        schema: dict[str, Any] = {"bsonType": "object", "required": list(self.required), "properties": self.types}
        return {"$jsonSchema": schema}


async def apply(server: MongoServer, collections: Sequence[Collection]) -> None:
    """Make what is missing, mend validators that differ. Raises StartupError for an index of another shape."""
    try:
        present = {one["name"]: one async for one in await server.database.list_collections()}
        for collection in collections:
            await _apply_one(server.database, collection, present.get(collection.name), server.address)
    except PyMongoError as error:
        raise refused_at_start(error, server.address) from error


async def _apply_one(database: Database, wanted: Collection, present: Any, address: str) -> None:
    validator = wanted.validator()
    if present is None:
        await _create(database, wanted.name, validator)
    elif present.get("options", {}).get("validator") != validator:
        await database.command("collMod", wanted.name, validator=validator)
    for index in wanted.indexes:
        try:
            await database[wanted.name].create_indexes([index.model()])
        except OperationFailure as error:
            if error.code not in INDEX_CONFLICTS:
                raise
            raise StartupError(
                f"MongoDB at {address}: collection {database.name}.{wanted.name} has an index that is in the way of "
                f"{index.name!r} ({_shown(index)}): drop it with db.{wanted.name}.dropIndex(…) and start again."
            ) from error


async def _create(database: Database, name: str, validator: dict[str, Any]) -> None:
    try:
        await database.create_collection(name, validator=validator)
    except CollectionInvalid:
        pass  # another process made it in this moment, from the same data
    except OperationFailure as error:
        if error.code != NAMESPACE_EXISTS:
            raise


def _shown(index: Index) -> str:
    return ", ".join(f"{name} {direction}" for name, direction in index.keys)
