"""Routes about the keys of a service that keeps secrets: which there are, what they wrote, and writing it anew."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Request
from pydantic import BaseModel, Field

from xget_db.engine import Database
from xget_db.sealed import Piece, Place, Sealed, SealedRows
from xget_kernel.caller import ADMIN, Caller
from xget_kernel.errors import Forbidden, Invalid
from xget_kernel.keys import Keys, KeySettings, KeysFixed, KeysUnavailable
from xget_kernel.pages import decode_cursor, encode_cursor
from xget_telemetry.logs import get_logger
from xget_web.auth import CallerDep
from xget_web.health import Check, Degraded
from xget_web.problems import errors
from xget_web.types import Body

log = get_logger(__name__)


@dataclass
class KeyDesk:
    """Keys of a service and the tables that hold what they wrote; at `app.state.keys`."""

    keys: Keys
    database: Database
    tables: Sequence[Sealed]
    took_back: Callable[[], Awaitable[object]] | None = None
    """Called when all was looked at: what waits for a lost key may go on."""


class DataKeyRead(BaseModel):
    """A key, without its bytes."""

    id: str
    wrapped_by: Annotated[str, Field(description="plain, env, kek:<name> or transit:<name>.")]
    newest: bool


class KeysRead(BaseModel):
    """The keys that encrypt secrets."""

    keys: list[DataKeyRead]
    wraps_with: str | None
    """The key-encryption key that wraps new ones."""
    trouble: str | None
    """What is wrong with where they come from, while those of before go on."""


class AddedKey(BaseModel):
    """The key that encrypts from now on."""

    id: str


class Rewrapped(BaseModel):
    """What was done."""

    rewrapped: int


class PieceRequest(Body):
    """Where to go on, and how many rows to take at once."""

    cursor: Annotated[str | None, Field(max_length=400)] = None
    limit: Annotated[int, Field(ge=1, le=500)] = 200


class CountRead(BaseModel):
    """Secrets of one column that one key wrote."""

    table: str
    column: str
    key_id: str
    rows: int
    unreadable: int


class UnreadableRead(BaseModel):
    """A secret that cannot be opened."""

    table: str
    id: str
    column: str
    key_id: str
    reason: str


class PieceRead(BaseModel):
    """What was found in some rows, or done to them."""

    rows: int
    changed: int
    counts: list[CountRead]
    unreadable: list[UnreadableRead]
    """Some of those that cannot be opened."""
    next_cursor: str | None


def _desk(request: Request) -> KeyDesk:
    desk: KeyDesk = request.app.state.keys
    return desk


def _admin(caller: CallerDep) -> Caller:
    caller.require(ADMIN)
    return caller


Desk = Annotated[KeyDesk, Depends(_desk)]
Admin = Annotated[Caller, Depends(_admin)]


def keys_router(prefix: str, tag: str) -> APIRouter:
    """The routes; administrators only. The app enters `opened_keys` in its lifespan."""
    router = APIRouter(prefix=prefix, tags=[tag])

    @router.get("", responses=errors(Forbidden))
    async def list_data_keys(desk: Desk, caller: Admin) -> KeysRead:
        """The keys that encrypt secrets, oldest first, and what wraps them."""
        told = [DataKeyRead(id=k.id, wrapped_by=k.wrapped_by, newest=k.newest) for k in await desk.keys.told()]
        return KeysRead(keys=told, wraps_with=desk.keys.wraps_with, trouble=desk.keys.trouble)

    @router.post("", status_code=201, responses=errors(Forbidden, KeysFixed, KeysUnavailable))
    async def add_data_key(desk: Desk, caller: Admin) -> AddedKey:
        """Add a key, which encrypts from now on. What others wrote stays as it is until `reencrypt`."""
        key_id = await desk.keys.add()
        log.warning("data_key_added", key_id=key_id, user_id=caller.user_id)
        return AddedKey(id=key_id)

    @router.post("/rewrap", responses=errors(Forbidden, KeysFixed, KeysUnavailable))
    async def rewrap_data_keys(desk: Desk, caller: Admin) -> Rewrapped:
        """Wrap all keys by the newest key-encryption key."""
        count = await desk.keys.rewrap()
        log.warning("data_keys_rewrapped", count=count, user_id=caller.user_id)
        return Rewrapped(rewrapped=count)

    @router.post("/check", responses=errors(Forbidden))
    async def check_secrets(body: PieceRequest, desk: Desk, caller: Admin) -> PieceRead:
        """Open the secrets of the next rows: which key wrote how many, and which cannot be opened."""
        async with desk.database.read() as session:
            piece = await SealedRows(session, desk.tables, desk.keys.ring).check(_place(body, desk), body.limit)
        if piece.next is None and desk.took_back is not None:
            await desk.took_back()
        return _read(piece)

    @router.post("/reencrypt", responses=errors(Forbidden))
    async def reencrypt_secrets(body: PieceRequest, desk: Desk, caller: Admin) -> PieceRead:
        """Write the secrets of the next rows anew that another key wrote than the newest; each is read back."""
        async with desk.database.transaction() as session:
            piece = await SealedRows(session, desk.tables, desk.keys.ring).reencrypt(_place(body, desk), body.limit)
        return _read(piece)

    return router


@asynccontextmanager
async def opened_keys(
    app: FastAPI, settings: KeySettings, database: Database, tables: Sequence[Sealed]
) -> AsyncIterator[KeyDesk]:
    """The desk of a service for as long as it runs; it keeps up with keys that others add. Raises StartupError."""
    keys = await asyncio.to_thread(settings.open_keys)
    app.state.keys = KeyDesk(keys, database, tables)
    async with keys.following():
        yield app.state.keys


def keys_answer(app: Callable[[], FastAPI]) -> Check:
    """Degraded while the keys cannot be read anew from where they come."""

    async def keys_come() -> str | None:
        trouble = app().state.keys.keys.trouble
        return Degraded(f"{trouble} The keys of before go on.") if trouble else None

    return keys_come


def _place(body: PieceRequest, desk: KeyDesk) -> Place:
    if body.cursor is None:
        return Place()
    found = decode_cursor(body.cursor)
    match found:
        case [int(number), str(key)] if 0 <= number < len(desk.tables):
            return Place(number, key)
    raise Invalid("The cursor is not one of these answers: leave it out to begin anew.")


def _read(piece: Piece) -> PieceRead:
    return PieceRead(
        rows=piece.rows,
        changed=piece.changed,
        counts=[CountRead(**asdict(count)) for count in piece.counts.values()],
        unreadable=[UnreadableRead(**asdict(one)) for one in piece.unreadable],
        next_cursor=encode_cursor([piece.next.number, piece.next.key]) if piece.next else None,
    )
