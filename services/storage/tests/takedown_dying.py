"""A process for `test_takedown_kills`: sweeps a takedown, killed with SIGKILL at its 1st, 2nd, 3rd… step.

Usage: takedown_dying.py FOLDER. Folder FOLDER/0 is swept whole; its number of steps is printed.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import traceback
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import zstandard

from xget_kernel.clock import ManualClock
from xget_sources.registry import load_records
from xget_storage.adapters.stores import Stores
from xget_storage.models import RawPage, Takedown, TakedownNote
from xget_storage.ports import DocumentStore, RawPageStore
from xget_storage.service.raw import body_of
from xget_storage.service.raw_cleaning import RawCleaner
from xget_storage.service.sweeping import GRACE, Sweeper
from xget_storage.settings import Settings
from xget_testing.contracts.documents.takedowns import by, repost, world
from xget_testing.contracts.pages import START, make_author, make_page

FAILED = 3
STEPS = ("put_takedown", "erase", "erased", "replace", "scan")


class Dying:
    """A store whose process dies before or after its n-th step."""

    def __init__(self, store: Any, death: Death) -> None:
        self._store = store
        self._death = death

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)
        if name not in STEPS:
            return method

        async def step(*args: Any, **kwargs: Any) -> Any:
            self._death.step()
            answer = await method(*args, **kwargs)
            self._death.step()
            return answer

        return step


class Death:
    def __init__(self, moment: int) -> None:
        self.moment = moment
        self.steps = 0

    def step(self) -> None:
        self.steps += 1
        if self.steps == self.moment:
            os.kill(os.getpid(), signal.SIGKILL)


def raw(number: int) -> RawPage:
    """A page with a post of author 8, and every fifth one of author 7 too."""
    posts = [_post(100 + number, 7, "secret")] * (number % 5 == 0) + [_post(200 + number, 8, "fine")]
    return RawPage(
        execution_id="e1", page_no=number, task_id="t1", owner_id="owner-1", platform="x", operation="SearchTimeline",
        fetched_at=START, sha256=f"as received {number}", body_zstd=zstandard.compress(msgspec.json.encode(posts)),
    )  # fmt: skip


def _post(number: int, author: int, text: str) -> dict[str, Any]:
    return {
        "__typename": "Tweet", "rest_id": str(number), "legacy": {"full_text": text, "user_id_str": str(author)}
    }  # fmt: skip


def opened(home: Path) -> AbstractAsyncContextManager[Stores]:
    """The stores in a folder."""
    return Stores.opened(Settings(home=home, grpc_port=0))


async def prepare(documents: DocumentStore, raw_pages: RawPageStore) -> None:
    """Documents and raw pages of author 7 and of others, and the ban."""
    authors = [make_author(7, name="secret name"), make_author(8)]
    await documents.store_pages([make_page(1, world(), authors=authors)], START)
    await documents.store_pages([make_page(2, [repost(9, 70, by(7, 4, text="secret two"))])], START)
    await raw_pages.put([raw(number) for number in range(1, 20)], START)
    note = TakedownNote(action="forget", actor="root", at=START, reason="asked for")
    await documents.put_takedown(Takedown(author_key="x:7", due=START, notes=[note]))


async def sweep(documents: DocumentStore, raw_pages: RawPageStore, death: Death) -> int:
    """Both sweeps; how many steps they took."""

    async def announce(_: Any) -> None:
        death.step()

    clock = ManualClock(START + timedelta(hours=1))
    dying: Any = [Dying(store, death) for store in (documents, raw_pages)]
    sweeper = Sweeper(*dying, RawCleaner(load_records()), announce, clock)
    for _ in range(2):
        await sweeper.run()
        clock.advance(GRACE.total_seconds())
    return death.steps


async def state(documents: DocumentStore, raw_pages: RawPageStore) -> dict[str, Any]:
    """All that is left, and what is told of it."""
    takedown = await documents.takedown("x:7")
    assert takedown is not None
    pages, _ = await raw_pages.scan(None, 100)
    return {
        "takedown": (takedown.state, takedown.pending, takedown.items, takedown.reposts),
        "items": await documents.scan(None, 1000),
        "audits": [await documents.audit(key, None) for key in ("x:1", "x:4", "x:2", "x:70")],
        "raw": [body_of(page) for page in pages],
        "authors": set(await documents.authors(["x:7", "x:8"])),
    }


def is_through(found: dict[str, Any]) -> bool:
    """Whether it was taken down altogether, and nothing of others with it."""
    left = msgspec.json.encode([found["items"], [body.decode() for body in found["raw"]]])
    return (
        found["takedown"] == ("done", False, 3, 3)
        and b"secret" not in left
        and all(b"fine" in body for body in found["raw"])
    )


def main(folder: Path) -> int:
    """Fork one process per moment."""
    load_records()  # once, for all children
    for moment in count():
        home = folder / str(moment)
        child = os.fork()
        if child == 0:
            os._exit(_in_child(home, moment))
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if code == FAILED:
            raise SystemExit(f"the sweep failed (moment {moment})")
        if moment and code == 0:
            return moment - 1
    raise AssertionError


async def _die(home: Path, moment: int) -> None:
    async with opened(home) as stores:
        await prepare(stores.documents, stores.raw_pages)
    async with opened(home) as stores:
        await sweep(stores.documents, stores.raw_pages, Death(moment))


def _in_child(home: Path, moment: int) -> int:
    try:
        asyncio.run(_die(home, moment))
    except Exception:  # noqa: BLE001 - told by the exit code
        traceback.print_exc()
        return FAILED
    return 0


if __name__ == "__main__":
    print(main(Path(sys.argv[1])))
