"""One request is one transaction, committed before the answer leaves."""

from collections.abc import AsyncIterator, Callable
from typing import Any

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from xget_db.engine import Database

GetDatabase = Callable[[Request], Database]


def session_dep(get_database: GetDatabase) -> Any:
    """`Session = Annotated[AsyncSession, session_dep(get_database)]`: a transaction that commits before the answer.

    FastAPI's default scope would answer first and commit later; `scope="function"` turns that round, so a commit
    that fails is an error the client sees. Keep one alias: the same dependency is the same session in a request.
    """

    async def open_session(request: Request) -> AsyncIterator[AsyncSession]:
        async with get_database(request).transaction() as session:
            yield session

    return Depends(open_session, scope="function")


def read_dep(get_database: GetDatabase) -> Any:
    """Like `session_dep`, for requests that only read."""

    async def open_session(request: Request) -> AsyncIterator[AsyncSession]:
        async with get_database(request).read() as session:
            yield session

    return Depends(open_session, scope="function")
