"""One key's row: claimed before the work, filled with the answer after it."""

from dataclasses import dataclass
from typing import Any, cast

import orjson
from sqlalchemy import CursorResult, Table, and_, delete, select, tuple_, update
from sqlalchemy.engine import RowMapping
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from xget_db.failures import translate
from xget_db.locks import is_postgres
from xget_db.upserts import insert
from xget_kernel.errors import FieldError, Unavailable
from xget_web.errors import KeyInUse, KeyReused
from xget_web.idempotency.replay import Replay

KEEP_SECONDS = 24 * 3600
KEPT_HEADERS = ("content-type", "location", "etag")
FIELD = "Idempotency-Key"


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to do one request's work, in the session of that work."""

    session: AsyncSession
    table: Table
    caller: str
    operation: str
    key: str

    async def take(self, request_hash: str, now: int) -> None:
        """Raise Replay when it was done before, KeyReused (422) for another body, KeyInUse (409) while it runs."""
        await self._forget(now - KEEP_SECONDS)
        values = {"caller": self.caller, "operation": self.operation, "key": self.key}
        row = insert(self.session, self.table).values(**values, request_hash=request_hash, created_at=now)
        try:
            taken = await self.session.execute(row.on_conflict_do_nothing())
        except DBAPIError as error:
            raise (_in_use() if isinstance(translate(error), Unavailable) else error) from error
        if not cast(CursorResult[Any], taken).rowcount:
            found = (await self.session.execute(select(self.table).where(self._mine()))).mappings().first()
            if found is None:  # it was forgotten at this very moment
                raise _in_use()
            _answer_again(found, request_hash)

    async def _forget(self, before: int) -> None:
        """Delete what is too old, except what somebody else is deleting."""
        columns = self.table.c
        old = columns.created_at < before
        if is_postgres(self.session):
            identity = tuple_(columns.caller, columns.operation, columns.key)
            old = identity.in_(select(*identity.clauses).where(old).with_for_update(skip_locked=True))
        await self.session.execute(delete(self.table).where(old))

    async def fill(self, response: Response) -> None:
        """Remember an answer, so that it commits with the work; an error is not remembered."""
        if response.status_code >= 400:
            await self.session.execute(delete(self.table).where(self._mine()))
            return
        headers = {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers}
        answer = {"status": response.status_code, "headers": orjson.dumps(headers).decode(), "body": response.body}
        await self.session.execute(update(self.table).where(self._mine()).values(answer))

    def _mine(self) -> Any:
        columns = self.table.c
        return and_(columns.caller == self.caller, columns.operation == self.operation, columns.key == self.key)


def _answer_again(row: RowMapping, request_hash: str) -> None:
    if row["request_hash"] != request_hash:
        message = "This key was used for another request: take a new one for new work."
        raise KeyReused(message, errors=[FieldError(FIELD, "idempotency_key_reused", message)])
    if row["status"] is None:
        raise _in_use()
    raise Replay(row["status"], orjson.loads(row["headers"]), row["body"])


def _in_use() -> KeyInUse:
    return KeyInUse("The first request with this Idempotency-Key is still running: ask again in a moment.")
