"""A small service with one of everything the library offers."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Request, Response
from pydantic import BaseModel, StrictInt
from sqlalchemy import Column, ForeignKey, MetaData, String, Table, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from xget_db.engine import Database
from xget_kernel.errors import Conflict, NotFound
from xget_kernel.settings import ServiceSettings
from xget_web.app import build_app
from xget_web.auth import CallerDep
from xget_web.db import session_dep
from xget_web.etags import IfMatch, check_if_match, etag, set_etag
from xget_web.idempotency import IdempotentRoute, idempotency_table, idempotent
from xget_web.paging import PageOut, PageParams
from xget_web.problems import errors
from xget_web.sse import event_stream
from xget_web.state import Verifier
from xget_web.types import Body, PathId, text


class NoteNotFound(NotFound):
    code = "note_not_found"
    title = "No such note"


class NoteExists(Conflict):
    code = "note_exists"
    title = "Name taken"


class NoteCreate(Body):
    name: Annotated[str, text(40, min_length=1)]
    remark: Annotated[str, text(500, multiline=True)] = ""
    stars: StrictInt | None = None


class NoteRead(BaseModel):
    name: str
    owner: str


metadata = MetaData()
parent_is_a_note = ForeignKey("notes.name", deferrable=True, initially="DEFERRED")
notes = Table(
    "notes",
    metadata,
    Column("name", String, primary_key=True),
    Column("owner", String),
    Column("parent", String, parent_is_a_note),
)
keys = idempotency_table(metadata)


@dataclass
class Toy:
    database: Database
    keys: Table
    effects: int = 0
    closed_streams: int = 0


def _toy(request: Request) -> Toy:
    toy: Toy = request.app.state.toy
    return toy


session = session_dep(lambda request: _toy(request).database)
Session = Annotated[AsyncSession, session]
router = APIRouter(prefix="/api/v1/notes", tags=["notes"], route_class=IdempotentRoute)


@router.post("", status_code=201, responses=errors(NoteExists), dependencies=[idempotent(session, keys)])
async def create_note(body: NoteCreate, session: Session, caller: CallerDep, request: Request) -> NoteRead:
    found = await session.scalar(select(notes.c.name).where(notes.c.name == body.name))
    if found is not None:
        raise NoteExists("There is a note of this name.")
    _toy(request).effects += 1
    await session.execute(
        insert(notes).values(name=body.name, owner=caller.user_id, parent=request.headers.get("X-Parent"))
    )
    return NoteRead(name=body.name, owner=caller.user_id)


@router.get("")
async def list_notes(page: PageParams, session: Session, caller: CallerDep) -> PageOut[NoteRead]:
    rows = (await session.execute(select(notes).offset(page.offset).limit(page.limit))).mappings().all()
    total = await session.scalar(select(func.count()).select_from(notes)) or 0
    return PageOut[NoteRead].of([NoteRead(**r) for r in rows], page, total)


async def numbers(toy: Toy, pause: float | None) -> AsyncGenerator[Any]:
    try:
        for number in range(3):
            yield {"number": number}
        while pause is not None:
            yield {"more": True}
            await asyncio.sleep(pause)
    finally:
        toy.closed_streams += 1


@router.get("/events", response_class=Response, responses={200: {"content": {"text/event-stream": {}}}})
async def note_events(request: Request, caller: CallerDep) -> Response:
    return event_stream(numbers(_toy(request), None))


@router.get("/events/endless", include_in_schema=False)
async def endless_events(request: Request, caller: CallerDep) -> Response:
    return event_stream(numbers(_toy(request), 0.2), ping_seconds=0.05)


@router.get("/{name}", responses=errors(NoteNotFound))
async def get_note(name: PathId, session: Session, caller: CallerDep, response: Response) -> NoteRead:
    row = (await session.execute(select(notes).where(notes.c.name == name))).mappings().first()
    if row is None:
        raise NoteNotFound("There is no such note, or it is not yours.")
    set_etag(response, etag(row["name"], row["owner"]))
    return NoteRead(**row)


@router.put("/{name}", responses=errors(NoteNotFound))
async def put_note(
    name: PathId, body: NoteCreate, session: Session, caller: CallerDep, match: IfMatch = None
) -> NoteRead:
    found = await session.scalar(select(notes.c.owner).where(notes.c.name == name))
    if found is None:
        raise NoteNotFound("There is no such note, or it is not yours.")
    check_if_match(match, etag(name, found))
    return NoteRead(name=name, owner=found)


@router.get("/{name}/broken", include_in_schema=False)
async def broken(name: str) -> None:
    raise RuntimeError(f"secret detail {name}")


def toy_app(settings: ServiceSettings, verifier: Verifier, **options: Any) -> FastAPI:
    """The service; `app.state.toy` counts what happens."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        database = Database(settings.sqlite_url("toy"))
        async with database.engine.begin() as connection:
            await connection.run_sync(metadata.create_all)
        app.state.toy = Toy(database, keys)
        yield
        await database.close()

    return build_app(
        service="toy",
        title="Toy",
        settings=settings,
        routers=[router],
        lifespan=lifespan,
        verifier=verifier,
        **options,
    )
