"""One key's row: claimed before the work, filled with the answer after it."""

from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Table, and_, delete, insert, select, update
from sqlalchemy.engine import RowMapping
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from xget_kernel.errors import FieldError
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
        await self.session.execute(delete(self.table).where(self.table.c.created_at < now - KEEP_SECONDS))
        found = (await self.session.execute(select(self.table).where(self._mine()))).mappings().first()
        if found is not None:
            _answer_again(found, request_hash)
        values = {"caller": self.caller, "operation": self.operation, "key": self.key}
        try:
            await self.session.execute(insert(self.table).values(**values, request_hash=request_hash, created_at=now))
        except IntegrityError as error:
            raise _in_use() from error

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
