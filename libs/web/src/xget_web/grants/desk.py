"""Owners give grants and revoke them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Table
from sqlalchemy.ext.asyncio import AsyncSession

from xget_db.audit import Subject, Trail
from xget_db.engine import Database
from xget_db.grants import GrantRepository
from xget_kernel.caller import Caller
from xget_kernel.clock import Clock
from xget_kernel.errors import XGetError
from xget_kernel.ids import new_id
from xget_kernel.pages import PageQuery
from xget_web.audit import by
from xget_web.grants.errors import BadGrant, GrantExists, GrantNotFound, UnknownUser, UsersUnavailable
from xget_web.grants.schemas import GrantCreate

Opened = AsyncSession
"""What the hooks of a service are given: the session of the request."""
OwnerOf = Callable[[AsyncSession, str, Caller], Awaitable[str]]
"""Whose a subject is. Raises NotFound (404) for what the caller may not see."""
Given = Callable[[AsyncSession, str, GrantCreate], Awaitable[None]]
"""Told within the transaction that somebody may use more of an owner's from now on."""


Unknown = Callable[[Collection[str]], Awaitable[set[str]]]
"""Those of some ids that are no user's. Raises XGetError while that cannot be known."""


@dataclass(frozen=True, kw_only=True)
class GrantDesk:
    """What the routes of grants work with; a service builds one."""

    database: Database
    table: Table
    audit: Callable[..., object]
    """The mapped audit table."""
    clock: Clock
    owner_of: OwnerOf
    given: Given
    unknown: Unknown

    async def check(self, body: GrantCreate, caller: Caller) -> None:
        """Refuse who is no user, before a transaction begins. Raises UnknownUser (422), UsersUnavailable (503)."""
        named = {"grantee_id": body.grantee_id, "owner_id": body.owner_id or caller.user_id}
        try:
            missing = await self.unknown({*named.values()} - {caller.user_id})
        except XGetError as error:
            raise UsersUnavailable() from error
        for field, user_id in named.items():
            if user_id in missing:
                raise UnknownUser(field)

    async def give(self, session: AsyncSession, body: GrantCreate, caller: Caller) -> Row[Any]:
        """Let another use it. Raises BadGrant (422), GrantExists (409), and what `owner_of` raises."""
        now = self.clock.now()
        owner = await self._owner(session, body, caller)
        _check(body, owner, now)
        grant = body.model_dump() | {
            "id": new_id(), "owner_id": owner, "granted_by": caller.user_id, "granted_at": now,
        }  # fmt: skip
        made = await GrantRepository(session, self.table).add(grant, now)
        if made is None:
            raise GrantExists()
        self._note(session, "grant.given", made, caller)
        await self.given(session, owner, body)
        return made

    async def page(
        self, session: AsyncSession, caller: Caller, page: PageQuery, *, ended: bool
    ) -> tuple[Sequence[Row[Any]], int]:  # fmt: skip
        """What the caller gave or was given, newest first; with `ended` also what is over."""
        live_at = None if ended else self.clock.now()
        return await GrantRepository(session, self.table).page(caller.owner_filter, page, live_at)

    async def revoke(self, session: AsyncSession, grant_id: str, caller: Caller) -> None:
        """End a grant, as who gave it, who has it, or an administrator. Raises GrantNotFound (404)."""
        grants = GrantRepository(session, self.table)
        found = await grants.get(grant_id, caller.owner_filter)
        if found is None:
            raise GrantNotFound()
        if found.revoked_at is None:
            await grants.revoke(grant_id, caller.user_id, self.clock.now())
            self._note(session, "grant.revoked", found, caller)

    async def _owner(self, session: AsyncSession, body: GrantCreate, caller: Caller) -> str:
        if body.owner_id not in {None, caller.user_id}:
            caller.require()
        if not body.subject_id:
            return body.owner_id or caller.user_id
        owner = await self.owner_of(session, body.subject_id, caller)
        if body.owner_id not in {None, owner}:
            raise BadGrant("owner_id", "owner", "It belongs to another: leave owner_id out.")
        return owner

    def _note(self, session: AsyncSession, action: str, grant: Row[Any], caller: Caller) -> None:
        names = ("grantee_id", "platform", "subject_id")
        told = {name: getattr(grant, name) for name in names}
        told["expires_at"] = grant.expires_at.isoformat() if grant.expires_at else None
        trail = Trail(session, self.audit, self.clock, by(caller))
        trail.note(action, Subject("grant", grant.id, grant.owner_id), told)


def _check(body: GrantCreate, owner: str, now: datetime) -> None:
    if body.grantee_id == owner:
        raise BadGrant("grantee_id", "other", "It is theirs already: name another user.")
    if body.expires_at is not None and body.expires_at <= now:
        raise BadGrant("expires_at", "future", "expires_at must be in the future.")
