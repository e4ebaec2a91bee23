"""Executions and their numbers. A number never changes once given, so this process remembers them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pymongo.errors import DuplicateKeyError

from xget_contracts.events import PageParsed
from xget_storage.adapters.mongo.errors import unavailable
from xget_storage.adapters.mongo.writing import Documents
from xget_storage.adapters.mongo_documents.delivery import Run

_REMEMBERED: Final = 10_000
_TRIES: Final = 100


class Executions:
    """Gives executions their numbers: 1, 2, 3… within a task."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._known: dict[str, Run] = {}

    async def of(self, pages: Iterable[PageParsed]) -> dict[str, Run]:
        """The executions of pages by id; those that are new get a number, durably."""
        wanted = {page.execution_id: page for page in pages}
        unknown = [execution for execution in wanted if execution not in self._known]
        if unknown:
            await self._load(unknown)
            for execution in unknown:
                if execution not in self._known:
                    await self._number(wanted[execution])
        found = {execution: self._known[execution] for execution in wanted}
        while len(self._known) > _REMEMBERED:
            del self._known[next(iter(self._known))]
        return found

    async def get(self, execution_id: str) -> Run | None:
        """An execution, if anything of it is stored."""
        if execution_id not in self._known:
            await self._load([execution_id])
        return self._known.get(execution_id)

    async def of_task(self, task: str, owner: str) -> list[str]:
        """Ids of all executions of a task of an owner."""
        found = self._documents.find({"task": task, "owner": owner}, {"_id": 1})
        return [one["_id"] async for one in found]

    async def owners_of(self, task: str) -> list[str]:
        """Who has a task of this id: one, ids being unique."""
        return sorted({one["owner"] async for one in self._documents.find({"task": task}, {"_id": 0, "owner": 1})})

    async def _load(self, executions: list[str]) -> None:
        async for one in self._documents.find({"_id": {"$in": executions}}):
            self._known[one["_id"]] = Run(one["task"], one["owner"], one["n"])

    async def _number(self, page: PageParsed) -> None:
        for _ in range(_TRIES):
            of_task = {"task": page.task_id, "owner": page.owner_id}
            last = await self._documents.find_one(of_task, {"n": 1}, sort=[("n", -1)])
            number = 1 + (last["n"] if last else 0)
            try:
                await self._documents.insert_one({"_id": page.execution_id, **of_task, "n": number})
            except DuplicateKeyError:  # another process stores this execution too, or another one of the task
                await self._load([page.execution_id])
            else:
                self._known[page.execution_id] = Run(page.task_id, page.owner_id, number)
            if page.execution_id in self._known:
                return
        raise unavailable("has too many executions of a task beginning at once")
