"""Work that is done within a transaction from its begin to its end."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from xget_db.direct.transaction import Direct

T = TypeVar("T")
Work = Callable[[Direct], Coroutine[Any, Any, T]]
"""Awaits nothing but what it asks of the transaction."""


async def whole(direct: Direct, work: Work[T]) -> T:
    """What `work` gives, committed; what it raises, with nothing changed."""
    try:
        answer = await work(direct)
        await direct.commit()
    except BaseException:
        with suppress(Exception):  # what went wrong before is what is told; `is_open` says the rest
            await direct.rollback()
        raise
    return answer


def finished(coroutine: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that waits for nothing. Raises RuntimeError for one that does."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        answer: T = done.value
        return answer
    coroutine.close()
    raise RuntimeError("Work within a transaction waited for something else.")
