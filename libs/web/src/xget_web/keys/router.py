"""Routes about the keys of a service that keeps secrets: which there are, what they wrote, and writing it anew."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from msgspec.structs import asdict as fields_of

from xget_db.sealed import Piece, Place, SealedRows
from xget_kernel.caller import ADMIN, Caller
from xget_kernel.errors import Forbidden, Invalid
from xget_kernel.keys import KeyInUse, KeysFixed, KeysUnavailable, NoSuchKey
from xget_kernel.pages import decode_cursor, encode_cursor
from xget_telemetry.logs import get_logger
from xget_web.audit import by
from xget_web.auth import CallerDep
from xget_web.keys.desk import KeyDesk
from xget_web.keys.schemas import (
    AddedKey,
    CountRead,
    DataKeyRead,
    KeysRead,
    Named,
    PieceRead,
    PieceRequest,
    Rewrapped,
    UnreadableRead,
    UsageRead,
)
from xget_web.problems import errors

log = get_logger(__name__)


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
        keys = desk.keys
        told = [DataKeyRead(**fields_of(key)) for key in await keys.told()]
        return KeysRead(place=keys.kind, keys=told, wraps_with=keys.wraps_with, trouble=keys.trouble)

    @router.post("", status_code=201, responses=errors(Forbidden, KeysFixed, KeysUnavailable))
    async def add_data_key(desk: Desk, caller: Admin) -> AddedKey:
        """Add a key, which encrypts from now on. What others wrote stays as it is until `reencrypt`."""
        async with desk.noted(by(caller), "add") as told:
            told["key_id"] = key_id = await desk.keys.add()
        log.warning("data_key_added", key_id=key_id, user_id=caller.user_id)
        return AddedKey(id=key_id)

    @router.post("/rewrap", responses=errors(Forbidden, KeysFixed, KeysUnavailable))
    async def rewrap_data_keys(desk: Desk, caller: Admin) -> Rewrapped:
        """Wrap all keys by the newest key-encryption key."""
        async with desk.noted(by(caller), "rewrap") as told:
            told["keys"] = count = await desk.keys.rewrap()
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
            if piece.changed:
                await desk.note(by(caller), "keys.reencrypted", {"secrets": piece.changed}, session)
        return _read(piece)

    _add_pruning(router)
    return router


def _add_pruning(router: APIRouter) -> None:
    """Routes that take old keys away and bring them back."""

    @router.get("/usage", responses=errors(Forbidden))
    async def count_secrets(desk: Desk, caller: Admin) -> UsageRead:
        """How many secrets of this service each key wrote; none is opened."""
        counts = [CountRead(**asdict(count)) for count in await desk.usage()]
        return UsageRead(counts=counts)

    @router.post("/retire", status_code=204, responses=errors(Forbidden, KeyInUse, KeysFixed, KeysUnavailable))
    async def retire_data_keys(body: Named, desk: Desk, caller: Admin) -> None:
        """Take keys away that wrote no secret of this service; they can be restored. Ask the others first where the
        keys lie in a file: they have the same."""
        async with desk.noted(by(caller), "retire", key_ids=body.ids):
            await desk.retire(body.ids)
        log.warning("data_keys_retired", key_ids=body.ids, user_id=caller.user_id)

    @router.post("/restore", status_code=204, responses=errors(Forbidden, NoSuchKey, KeysFixed, KeysUnavailable))
    async def restore_data_keys(body: Named, desk: Desk, caller: Admin) -> None:
        """Bring retired keys back, which open what they wrote."""
        async with desk.noted(by(caller), "restore", key_ids=body.ids):
            await desk.keys.restore(body.ids)
        log.warning("data_keys_restored", key_ids=body.ids, user_id=caller.user_id)

    @router.post("/forget", status_code=204, responses=errors(Forbidden, KeyInUse, KeysFixed, KeysUnavailable))
    async def forget_data_keys(body: Named, desk: Desk, caller: Admin) -> None:
        """Drop retired keys for ever: what they wrote, in backups too, is then lost."""
        async with desk.noted(by(caller), "forget", key_ids=body.ids):
            await desk.forget(body.ids)
        log.warning("data_keys_forgotten", key_ids=body.ids, user_id=caller.user_id)


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
