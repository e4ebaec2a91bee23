"""Executions, pages, authors and changes of another store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from pymongo import InsertOne, ReplaceOne

from xget_storage.adapters.mongo.encoding import pack
from xget_storage.adapters.mongo.writing import Operation
from xget_storage.adapters.mongo_documents.authors import stored_author
from xget_storage.adapters.mongo_documents.delivery import page_row
from xget_storage.models import AuditEntry, StoredAuthor
from xget_storage.schemas.archive import ArchivedAuthor, ArchivedChange, ArchivedExecution, ArchivedPage, canonical
from xget_storage.service.merging import merge_stored_author

_APART: Final = frozenset({"key", "rev"})


@dataclass(slots=True)
class ExecutionImport:
    """An execution: its number stays, unless another one of the task has it here."""

    id: str
    record: ArchivedExecution
    tries: int = -1

    def plan(self, known: Mapping[str, Any] | None) -> Operation | None:
        """The execution."""
        if known is not None:
            return None
        self.tries += 1
        record = self.record
        n = record.n + self.tries
        return InsertOne({"_id": self.id, "task": record.task_id, "owner": record.owner_id, "n": n})


def archived_execution(document: Mapping[str, Any]) -> ArchivedExecution:
    """What a document says."""
    return ArchivedExecution(
        execution_id=document["_id"], task_id=document["task"], owner_id=document["owner"], n=document["n"]
    )


@dataclass(slots=True)
class PageImport:
    """A page that was stored; where it was stored here too, its answer here stands."""

    id: str
    record: ArchivedPage

    def plan(self, known: Mapping[str, Any] | None) -> Operation | None:
        """The page, or the digest of one more delivery."""
        if known is None:
            answer = msgspec.to_builtins(self.record.answer)
            return InsertOne({"_id": self.id, "v": 1, "digests": [self.record.digest], "answer": answer})
        if self.record.digest in known["digests"]:
            return None
        digests = [self.record.digest, *known["digests"]]
        changed = {**known, "v": known["v"] + 1, "digests": digests}
        return ReplaceOne({"_id": self.id, "v": known["v"]}, changed)


def archived_page(document: Mapping[str, Any]) -> ArchivedPage:
    """What a document says."""
    row = page_row(document)
    execution, _, number = str(document["_id"]).rpartition("/")
    return ArchivedPage(execution_id=execution, page_no=int(number), digest=row.digests[-1], answer=row.answer.told())


@dataclass(slots=True)
class AuthorImport:
    """An author, merged by the rules of collecting."""

    id: str
    record: ArchivedAuthor

    def plan(self, known: Mapping[str, Any] | None) -> Operation | None:
        """The author, or what both stores know of them."""
        if known is None:
            return InsertOne(_packed(self.record.author, 1))
        author = stored_author(known)
        before = canonical(author)
        merge_stored_author(author, self.record.author)
        if canonical(author) == before:
            return None
        author.rev += 1
        return ReplaceOne({"_id": self.id, "v": known["v"]}, _packed(author, known["v"] + 1))


def archived_author(document: Mapping[str, Any]) -> ArchivedAuthor:
    """What a document says."""
    return ArchivedAuthor(author=stored_author(document))


def _packed(author: StoredAuthor, version: int) -> Any:
    return pack(author, {"_id": author.key, "v": version, "rev": author.rev}, _APART)


@dataclass(slots=True)
class ChangeImport:
    """A change by a person; another one under the same number is left alone."""

    id: str
    record: ArchivedChange

    def plan(self, known: Mapping[str, Any] | None) -> Operation | None:
        """The change."""
        if known is not None:
            return None
        record = self.record
        found = {"_id": self.id, "k": record.key, "n": record.n, "action": record.entry.action}
        found["note"] = msgspec.to_builtins(record.entry)
        return InsertOne(found if record.owner is None else {**found, "owner": record.owner})


def archived_change(document: Mapping[str, Any]) -> ArchivedChange:
    """What a document says."""
    return ArchivedChange(
        key=document["k"],
        n=document["n"],
        owner=document.get("owner"),
        entry=msgspec.convert(document["note"], AuditEntry),
    )
