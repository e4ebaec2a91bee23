"""Writes down who did what, in the transaction that does it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from opentelemetry import trace
from sqlalchemy import insert, inspect
from sqlalchemy.ext.asyncio import AsyncSession

from xget_kernel.clock import Clock
from xget_kernel.ids import new_id

SYSTEM: Final = "system"
_SHORTEST, _LONGEST = 64, 128


@dataclass(frozen=True)
class By:
    """Who does something: a person's id or a machine's word, how he proved it, and the request."""

    actor: str
    via: str = SYSTEM
    request_id: str = ""


@dataclass(frozen=True)
class Subject:
    """What something is done to; `id` is empty for several at once."""

    kind: str
    id: str
    owner_id: str


class Trail:
    """Notes of one transaction: they are there when it commits, and only then. `row` is the mapped table `audit`."""

    def __init__(self, session: AsyncSession, row: Callable[..., object], clock: Clock, by: By) -> None:
        self._session = session
        self._row = row
        self._clock = clock
        self.by = by

    def note(
        self, action: str, subject: Subject, details: dict[str, Any] | None = None, *, actor: str | By = ""
    ) -> None:  # fmt: skip
        """Write one row. `details` must hold no secret; `actor` is who else did it than who asked, as a machine."""
        who = actor if isinstance(actor, By) else self.by
        if isinstance(actor, str) and actor not in {"", self.by.actor}:
            who = By(actor, SYSTEM, self.by.request_id)
        self._session.add(self._row(**values_of(who, action, subject, details, self._clock.now())))

    async def note_each(self, action: str, notes: Iterable[tuple[Subject, dict[str, Any]]]) -> None:
        """Write a row for each of many subjects, all in one statement."""
        now = self._clock.now()
        rows = [values_of(self.by, action, subject, details, now) for subject, details in notes]
        if rows:
            await self._session.execute(insert(inspect(self._row).local_table), rows)


def values_of(
    by: By, action: str, subject: Subject, details: dict[str, Any] | None, at: datetime
) -> dict[str, Any]:  # fmt: skip
    """A row of `audit`."""
    found = trace.get_current_span().get_span_context()
    return {
        "id": new_id(),
        "at": at,
        "actor": by.actor[:_LONGEST],
        "via": by.via,
        "action": action,
        "subject_kind": subject.kind,
        "subject_id": subject.id[:_SHORTEST],
        "owner_id": subject.owner_id[:_SHORTEST],
        "details": details or {},
        "request_id": by.request_id[:_LONGEST],
        "trace_id": f"{found.trace_id:032x}" if found.is_valid else "",
    }
