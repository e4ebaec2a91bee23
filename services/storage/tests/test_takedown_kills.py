"""Kill -9 at any step of a takedown, and a new process: the takedown ends as if nothing had happened."""

from __future__ import annotations

import asyncio
import importlib.util
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from pymongo.asynchronous.collection import AsyncCollection

from xget_storage.adapters.mongo import MongoServer
from xget_storage.adapters.mongo_documents import MongoDocuments
from xget_storage.adapters.mongo_raw_pages import MongoRawPages

SCRIPT = Path(__file__).with_name("takedown_dying.py")
_spec = importlib.util.spec_from_file_location("takedown_dying", SCRIPT)
assert _spec is not None
assert _spec.loader is not None
dying = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(dying)


async def state(home: Path) -> Any:
    """All that is left, and what is told of it."""
    async with dying.opened(home) as stores:
        return await dying.state(stores.documents, stores.raw_pages)


async def sweep(home: Path) -> None:
    """Do what is left to do."""
    async with dying.opened(home) as stores:
        await dying.sweep(stores.documents, stores.raw_pages, dying.Death(0))


@pytest.mark.slow
async def test_a_kill_at_any_step_of_a_takedown_ends_in_the_same(tmp_path: Path) -> None:
    command = [sys.executable, str(SCRIPT), str(tmp_path)]
    done = await asyncio.to_thread(subprocess.run, command, check=True, capture_output=True, text=True, timeout=300)
    moments = int(done.stdout)
    assert moments > 30
    whole = await state(tmp_path / "0")
    assert dying.is_through(whole)
    for moment in range(1, moments + 1):
        await sweep(tmp_path / str(moment))
        assert await state(tmp_path / str(moment)) == whole, f"after the kill at step {moment} of {moments}"


class Died(BaseException):
    """The process is gone: nothing that comes after it is done."""


class Writes:
    """Ends the process, as far as MongoDB can tell, right after its n-th write from now on."""

    NAMES = ("insert_one", "replace_one", "update_one", "delete_one", "bulk_write")

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.left = 0
        for name in self.NAMES:
            monkeypatch.setattr(AsyncCollection, name, self._counted(getattr(AsyncCollection, name)))

    def _counted(self, write: Any) -> Any:
        async def counted(*args: Any, **options: Any) -> Any:
            answer = await write(*args, **options)
            self.left -= 1
            if self.left == 0:
                raise Died
            return answer

        return counted


@pytest.mark.slow
@pytest.mark.connected("mongodb")
async def test_mongodb_ends_in_the_same_when_a_takedown_is_killed_again_and_again(
    mongo: MongoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await MongoDocuments(mongo).open()
    await MongoRawPages(mongo).open()
    writes = Writes(monkeypatch)
    whole: Any = None
    for survives in (0, 2, 3, 7):  # 1 would be killed at the same write for ever
        for name in await mongo.database.list_collection_names():
            await mongo.database[name].delete_many({})
        writes.left = 0
        await dying.prepare(MongoDocuments(mongo), MongoRawPages(mongo))
        killed, done = 0, False
        while not done:
            writes.left = survives
            with suppress(Died):
                await dying.sweep(MongoDocuments(mongo), MongoRawPages(mongo), dying.Death(0))
                done = True
            killed += not done
        assert not survives or killed >= 20 / survives
        found = await dying.state(MongoDocuments(mongo), MongoRawPages(mongo))
        whole = whole or found
        assert dying.is_through(found)
        assert found == whole, f"after {killed} kills, each after {survives} writes"


async def prepare(home: Path) -> None:
    """Something to take down."""
    async with dying.opened(home) as stores:
        await dying.prepare(stores.documents, stores.raw_pages)


@pytest.mark.slow
def test_nothing_of_an_author_is_left_in_the_files(tmp_path: Path) -> None:
    asyncio.run(prepare(tmp_path))
    assert any(b"secret one" in path.read_bytes() for path in tmp_path.glob("documents.db*"))
    asyncio.run(sweep(tmp_path))
    left = [path.name for path in tmp_path.glob("*.db*") if b"secret" in path.read_bytes()]
    assert left == []
