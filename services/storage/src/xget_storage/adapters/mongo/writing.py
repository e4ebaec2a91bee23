"""Writing many documents without a transaction, beside others who write the same ones.

Each work says what the document it knows has to become: an insert, or an update that is conditional on what it knows.
Who loses (the document is there meanwhile, or has changed) looks again and plans again. Planning must be repeatable:
a work whose effect is in place already plans nothing. So nothing is lost, and a repetition after kill -9 of this
process or the server, at whatever write, ends in the same documents.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar

from pymongo import InsertOne, ReplaceOne, UpdateOne
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import BulkWriteError

from xget_storage.adapters.mongo.client import Document
from xget_storage.adapters.mongo.errors import DUPLICATE, translated, unavailable

Operation = InsertOne[Any] | ReplaceOne[Any] | UpdateOne
Documents = AsyncCollection[Document]
_LOOK: Final = 100
"""Documents per look: several looks at once beat a long one, in which a server may compare each with all ids."""
_ROUNDS: Final = 30
_LONGEST_PAUSE: Final = 0.25


class Work(Protocol):
    """One document to bring up to date."""

    @property
    def id(self) -> str:
        """`_id` of the document."""

    def plan(self, known: Mapping[str, Any] | None) -> Operation | None:
        """What makes of the document `known` (None: there is none) what it has to be; None when it is that."""


_Work = TypeVar("_Work", bound=Work)
_Any = TypeVar("_Any")


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes to one collection, at most `batch` operations per request; the driver splits by bytes."""

    documents: Documents
    batch: int = 1000
    ordered: bool = False

    async def load(self, ids: Sequence[str]) -> dict[str, Document]:
        """Documents by `_id`, those that are there."""
        pieces = [list(ids[start : start + _LOOK]) for start in range(0, len(ids), _LOOK)]
        looks = await asyncio.gather(*(self._look(piece) for piece in pieces))
        return {one["_id"]: one for found in looks for one in found}

    async def _look(self, ids: list[str]) -> list[Document]:
        return await self.documents.find({"_id": {"$in": ids}}, batch_size=len(ids) + 1).to_list()  # all in one answer

    async def settle(self, works: Sequence[_Work], known: Mapping[str, Mapping[str, Any]]) -> None:
        """Bring every work's document up to date, starting from what is `known` of them. Raises Unavailable."""
        todo: Sequence[_Work] = works
        for round_ in range(_ROUNDS):
            planned = [(work, plan) for work in todo if (plan := work.plan(known.get(work.id))) is not None]
            if not planned:
                return
            todo = await self.write(planned)
            if not todo:
                return
            await asyncio.sleep(random.random() * min(_LONGEST_PAUSE, 0.005 * 2**round_))
            known = await self.load([work.id for work in todo])
        raise unavailable("is written to by too many at once")

    async def write(self, planned: Sequence[tuple[_Any, Operation]]) -> list[_Any]:
        """Write, inserts beside changes of other documents; those that lost, or may have."""
        kinds = (InsertOne, ReplaceOne, UpdateOne)
        alike = [[one for one in planned if isinstance(one[1], kind)] for kind in kinds]
        lost = await asyncio.gather(*(self._write_alike(some) for some in alike if some))
        return [work for works in lost for work in works]

    async def _write_alike(self, alike: Sequence[tuple[_Any, Operation]]) -> list[_Any]:
        lost: list[_Any] = []
        for start in range(0, len(alike), self.batch):
            lost += await self._write_piece(alike[start : start + self.batch])
        return lost

    async def _write_piece(self, piece: Sequence[tuple[_Any, Operation]]) -> list[_Any]:
        try:
            result = await self.documents.bulk_write([plan for _, plan in piece], ordered=self.ordered)
        except BulkWriteError as error:
            return self._losers(piece, error)
        if isinstance(piece[0][1], InsertOne) or result.matched_count == len(piece):
            return []
        return [work for work, _ in piece]  # the answer does not say which: all of them look again

    def _losers(self, piece: Sequence[tuple[_Any, Operation]], error: BulkWriteError) -> list[_Any]:
        details = error.details
        failed = details.get("writeErrors", [])
        if details.get("writeConcernErrors") or any(one.get("code") != DUPLICATE for one in failed):
            raise translated(error) from error
        first = min(int(one["index"]) for one in failed)
        if self.ordered:
            return [work for work, _ in piece[first:]]
        return [piece[int(one["index"])][0] for one in failed]
