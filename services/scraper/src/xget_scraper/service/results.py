"""What tasks have found, as storage has it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from xget_kernel.caller import Caller
from xget_scraper.errors import TaskNotFound
from xget_scraper.models import Task
from xget_scraper.ports import Items, Listing
from xget_scraper.repository import Store


class ResultService:
    """Reads items of the caller's tasks. Raises Unavailable (503) while storage does not answer."""

    def __init__(self, store: Store, items: Items) -> None:
        self._store = store
        self._items = items

    async def list(self, task_id: str, caller: Caller, *, role: str, limit: int, cursor: str | None) -> Listing:
        """A piece of a task's items. Raises TaskNotFound (404)."""
        task = await self._task(task_id, caller)
        return await self._items.list(task.user_id, task.id, _wire(role), limit, cursor)

    async def search(
        self, query: str, caller: Caller, *, task_id: str | None, lang: str | None, limit: int, cursor: str | None
    ) -> Listing:
        """A piece of what a query finds in one task, or in all that the caller sees. Raises TaskNotFound (404)."""
        everything = caller.owner_filter or ""
        owner = (await self._task(task_id, caller)).user_id if task_id is not None else everything
        return await self._items.search(owner, query, task_id=task_id, lang=lang, limit=limit, cursor=cursor)

    async def export(self, task_id: str, caller: Caller, role: str) -> AsyncIterator[Sequence[bytes]]:
        """All items of a task in batches; the first is here already. Raises TaskNotFound (404)."""
        task = await self._task(task_id, caller)
        batches = self._items.stream(task.user_id, task.id, _wire(role))
        first = await anext(batches, None)
        return batches if first is None else _after(first, batches)

    async def _task(self, task_id: str, caller: Caller) -> Task:
        async with self._store.read() as unit:
            task = await unit.tasks.get(task_id, caller.owner_filter)
        if task is None:
            raise TaskNotFound
        return task


async def _after(first: Sequence[bytes], rest: AsyncIterator[Sequence[bytes]]) -> AsyncIterator[Sequence[bytes]]:
    yield first
    async for batch in rest:
        yield batch


def _wire(role: str) -> str:
    return "" if role == "all" else role
