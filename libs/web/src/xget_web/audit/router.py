"""The route that shows who did, changed or saw what."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict
from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncSession

from xget_db.audit import AuditFilter, AuditRepository, By
from xget_kernel.caller import Caller
from xget_kernel.ids import is_id
from xget_kernel.pages import bad_cursor, decode_cursor, encode_cursor
from xget_telemetry import logs
from xget_web.audit.views import Views
from xget_web.auth import CallerDep
from xget_web.db import GetDatabase, read_dep
from xget_web.moments import Moment
from xget_web.paging import CursorOut, CursorParam, LimitParam
from xget_web.types import text

Word = Annotated[str | None, Query(), text(128, min_length=1)]


class AuditRead(BaseModel):
    """Somebody did, changed or saw something."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    at: datetime
    actor: str
    """A person's id, or the word of a machine: playbook, login, keys, worker."""
    via: str
    """How the actor proved it: token, open, internal; system for a machine."""
    action: str
    subject_kind: str
    subject_id: str
    """Empty for several at once."""
    owner_id: str
    """Whose the subject is."""
    details: dict[str, Any]
    """What exactly, without secrets."""
    request_id: str
    trace_id: str


def by(caller: Caller) -> By:
    """Who asks, for a row."""
    return By(caller.user_id, caller.via, logs.bound("request_id"))


def audit_router(
    prefix: str, tag: str, *, table: Table, database: GetDatabase, views: Callable[[Request], Views]
) -> APIRouter:
    """`GET {prefix}`: rows about what is the caller's, of all owners for administrators."""
    router = APIRouter(prefix=prefix, tags=[tag])

    async def settled(request: Request) -> None:
        await views(request).flush()

    @router.get("", dependencies=[Depends(settled)])
    async def list_audit(
        *,
        opened: Annotated[AsyncSession, read_dep(database)],
        caller: CallerDep,
        actor: Word = None,
        subject: Word = None,
        action: Word = None,
        since: Moment | None = None,
        until: Moment | None = None,
        cursor: CursorParam = None,
        limit: LimitParam = 50,
    ) -> CursorOut[AuditRead]:
        """Who did, changed or saw what, newest first. `subject` is an id; `action` a word as `account.updated`."""
        wanted = AuditFilter(
            owner_id=caller.owner_filter, actor=actor, subject_id=subject, action=action, since=since, until=until
        )
        rows = await AuditRepository(opened, table).slice(wanted, _before(cursor), limit + 1)
        more = encode_cursor(rows[limit - 1].id) if len(rows) > limit else None
        return CursorOut[AuditRead](items=[AuditRead.model_validate(row) for row in rows[:limit]], next_cursor=more)

    return router


def _before(cursor: str | None) -> str | None:
    if cursor is None:
        return None
    found = decode_cursor(cursor)
    if not (isinstance(found, str) and is_id(found)):
        raise bad_cursor()
    return found
