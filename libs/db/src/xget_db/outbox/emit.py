"""The writing side: a service says what happened."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from sqlalchemy import MetaData, Table
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from xget_db import pending
from xget_db.outbox.table import outbox_table
from xget_kernel.clock import Clock, SystemClock
from xget_kernel.ids import new_id

_TABLE: Final = outbox_table(MetaData())
_W3C: Final = TraceContextTextMapPropagator()


class Outbox:
    """Announces facts with the commit of a session of `Database`; a rollback announces nothing."""

    def __init__(
        self, session: AsyncSession, table: Table = _TABLE, *, source: str = "", clock: Clock | None = None
    ) -> None:
        self._session = session
        self._table = table
        self._source = _named(source)
        self._clock = clock or SystemClock()

    def emit(self, topic: str, key: str, body: msgspec.Struct, headers: Mapping[str, str] | None = None) -> None:
        """Send `body` as JSON to `topic` once this session commits. Messages of one topic and key keep their order.

        The message carries CloudEvents headers; `ce_id` stays the same when it is sent twice. The trace of the moment
        is kept with the row, whoever sends it later. `headers` win over both.
        """
        row = _row(topic, key, body, headers, self._source, self._clock.now())
        pending.add(self._session.sync_session, self._table, row)


def emit_with(
    session: Session, table: Table, topic: str, key: str, body: msgspec.Struct, *, source: str, clock: Clock
) -> None:
    """As `Outbox.emit`, from within a hook of a session that has not begun to commit."""
    pending.add(session, table, _row(topic, key, body, None, _named(source), clock.now()))


def _named(source: str) -> str:
    return f"/xget/{source}".rstrip("/")


def _row(  # noqa: PLR0917 - the parts of a message
    topic: str, key: str, body: msgspec.Struct, headers: Mapping[str, str] | None, source: str, now: datetime
) -> dict[str, Any]:
    attributes = {
        "ce_specversion": "1.0",
        "ce_id": new_id(),
        "ce_type": f"xget.{type(body).__name__}",
        "ce_source": source,
        "ce_time": now.isoformat().replace("+00:00", "Z"),
    }
    _W3C.inject(attributes)
    return {
        "topic": topic,
        "key": key,
        "value": msgspec.json.encode(body),
        "headers": attributes | dict(headers or {}),
        "created_at": now,
    }
