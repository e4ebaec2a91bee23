"""The commands that a batch of ours sent, and the plainest ones of the same kinds: by `_id`, and nothing else.

What a server needs for those grows as its trees do. So a look of ours that scans, by whatever fields, shows as a
difference between the two.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import bson
from bson.raw_bson import RawBSONDocument
from pymongo import InsertOne, ReplaceOne
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

from xget_storage.adapters.mongo import MongoServer

Command = tuple[str, dict[str, Any]]
Write = InsertOne[Any] | ReplaceOne[Any]
NAMED = ("_id", "e", "task")
"""Fields of unique indexes: a copy has others there."""


class Recorder(CommandListener):
    """Keeps the commands of all clients while somebody records. Has to be registered before clients are made."""

    def __init__(self) -> None:
        self._kept: list[Command] | None = None

    @contextmanager
    def recording(self) -> Iterator[list[Command]]:
        """The list fills while one is in here."""
        kept: list[Command] = []
        self._kept = kept
        try:
            yield kept
        finally:
            self._kept = None

    def started(self, event: CommandStartedEvent) -> None:
        """Keep a command as it was sent."""
        if self._kept is not None:
            self._kept.append((event.command_name, dict(event.command)))

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """Nothing to keep."""

    def failed(self, event: CommandFailedEvent) -> None:
        """Nothing to keep."""


class Replay:
    """Ready commands: the same number of documents, in as many pieces, in the same collections."""

    def __init__(self, sent: Sequence[Command], mark: str) -> None:
        self._looks: list[tuple[str, list[Any]]] = []
        self._writes: list[tuple[str, list[Write]]] = []
        for name, command in sent:
            self._add(name, command, mark)

    def _add(self, name: str, command: Mapping[str, Any], mark: str) -> None:
        if name == "find":
            self._looks.append((command["find"], _values(command["filter"])))
        elif name == "insert":
            written: list[Write] = [InsertOne(_copied(one, mark)) for one in command["documents"]]
            self._writes.append((command["insert"], written))
        elif name == "update":
            replaced: list[Write] = [_replaced(change["u"]) for change in command["updates"] if "_id" in change["u"]]
            if replaced:
                self._writes.append((command["update"], replaced))

    async def run(self, server: MongoServer) -> None:
        """Send all of them."""
        for name, ids in self._looks:
            await server.database[name].find({"_id": {"$in": ids}}, batch_size=len(ids) + 1).to_list()
        for name, writes in self._writes:
            await server.database[name].bulk_write(writes, ordered=False)


def _values(filter_: Mapping[str, Any]) -> list[Any]:
    """What a look asks for, as many as it asks for."""
    first = next(iter(filter_.values()), None)
    return list(first["$in"]) if isinstance(first, Mapping) and "$in" in first else [str(first)]


def _copied(document: Mapping[str, Any], mark: str) -> RawBSONDocument:
    """Another document of the same size."""
    return RawBSONDocument(bson.encode(renamed(document, mark)))


def renamed(document: Mapping[str, Any], mark: str) -> dict[str, Any]:
    """A document that may stand beside the one it was."""
    return {name: f"{mark}{value}" if name in NAMED else value for name, value in document.items()}


def _replaced(document: Mapping[str, Any]) -> ReplaceOne[Any]:
    """The same document once more, as a newer version: equal ones a server may leave alone."""
    newer = {**document, "v": document["v"] + 1}
    return ReplaceOne({"_id": newer["_id"]}, RawBSONDocument(bson.encode(newer)))
