"""kill -9 between a change of keys and its note, and as the answer about a look leaves: the trail knows."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from signal import SIGKILL
from typing import Annotated, Any

import httpx2 as httpx
import pytest
from fastapi import APIRouter, FastAPI, Request
from sqlalchemy import MetaData

from xget_db.audit import Subject, audit_table
from xget_db.engine import Database
from xget_kernel.clock import SystemClock
from xget_kernel.keys import Keys, KeySettings
from xget_testing.apps import running
from xget_web.app import build_app
from xget_web.audit import Views, by, kept_dep
from xget_web.auth import CallerDep
from xget_web.keys import keys_router, opened_keys

METADATA = MetaData()
AUDIT = audit_table(METADATA)
PATH = "/api/v1/things"
Doing = Callable[[httpx.AsyncClient], Awaitable[object]]


def views_of(request: Request) -> Views:
    found: Views = request.app.state.views
    return found


things = APIRouter(prefix=PATH, tags=["things"])


@things.get("/{thing_id}")
async def look(thing_id: str, viewed: Annotated[Views, kept_dep(views_of)], caller: CallerDep) -> str:
    """One thing."""
    viewed.note(by(caller), "thing.viewed", Subject("thing", thing_id, "ada"))
    return thing_id


def app_at(home: Path) -> FastAPI:
    settings = KeySettings(home=home, open_mode=True)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        database = Database(f"sqlite+aiosqlite:///{home / 'tables.db'}")
        async with database.transaction() as session:
            await (await session.connection()).run_sync(METADATA.create_all)
        async with (
            opened_keys(app, settings, database, [], trail=AUDIT),
            Views(database, AUDIT, SystemClock()).running() as app.state.views,
        ):
            yield
        await database.close()

    routers = [keys_router(f"{PATH}/data-keys", "keys"), things]
    return build_app(
        service="things", title="Things", settings=settings, routers=routers, lifespan=lifespan, verifier=None
    )


def killed(home: Path, doing: Doing) -> list[str]:
    """What the trail says after a process that did this was killed."""

    async def live() -> None:
        async with running(app_at(home)) as client:
            await doing(client)
            os.kill(os.getpid(), SIGKILL)

    child = os.fork()
    if child == 0:
        try:
            asyncio.run(live())
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -SIGKILL
    return said(home)


def said(home: Path) -> list[str]:
    with closing(sqlite3.connect(home / "tables.db")) as rows:
        return [action for (action,) in rows.execute("SELECT action FROM audit ORDER BY id")]


def test_a_look_is_known_though_its_answer_was_the_last(tmp_path: Path) -> None:
    assert killed(tmp_path, lambda client: client.get(f"{PATH}/1")) == ["thing.viewed"]


@pytest.mark.parametrize("verb", ["add", "retire", "restore"])
def test_who_changed_keys_is_known_though_he_was_killed_right_after_it(
    verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, old = f"{PATH}/data-keys", list[str]()

    async def before(client: httpx.AsyncClient) -> None:
        old.append((await client.get(path)).json()["keys"][0]["id"])
        await client.post(path)
        if verb == "restore":
            await client.post(f"{path}/retire", json={"ids": old})

    async def prepared() -> None:
        async with running(app_at(tmp_path)) as client:
            await before(client)

    asyncio.run(prepared())
    known = said(tmp_path)
    do = getattr(Keys, verb)

    async def dying(*given: Any) -> None:
        await do(*given)
        os.kill(os.getpid(), SIGKILL)

    async def changed(client: httpx.AsyncClient) -> None:
        monkeypatch.setattr(Keys, verb, dying)
        await client.post(path if verb == "add" else f"{path}/{verb}", json={"ids": old})

    assert killed(tmp_path, changed) == [*known, f"keys.{verb}_begun"]

    async def told() -> dict[str, list[str]]:
        async with running(app_at(tmp_path)) as client:
            keys = (await client.get(path)).json()["keys"]
            return {
                which: [k["id"] for k in keys if bool(k["retired_at"]) == (which == "away")]
                for which in ("here", "away")
            }

    keys = asyncio.run(told())
    assert {"add": len(keys["here"]) == 3, "retire": keys["away"] == old, "restore": old[0] in keys["here"]}[verb]


async def test_what_is_done_and_what_is_refused_is_told_as_such(tmp_path: Path) -> None:
    path = f"{PATH}/data-keys"
    async with running(app_at(tmp_path)) as client:
        (old,) = (await client.get(path)).json()["keys"]
        await client.post(path)
        assert (await client.post(f"{path}/restore", json={"ids": [old["id"]]})).status_code == 404
        assert (await client.post(f"{path}/retire", json={"ids": [old["id"]]})).status_code == 204
    assert said(tmp_path) == [
        "keys.add_begun", "keys.added", "keys.restore_begun", "keys.restore_failed", "keys.retire_begun",
        "keys.retired",
    ]  # fmt: skip
