"""A process for `test_mongo_crashes`: stores the same batch again and again, killed after its 1st, 2nd, 3rd… write.

Usage: mongo_dying.py URL PREFIX BATCH. Database PREFIX0 gets the batch whole; its number of writes is printed.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import traceback
from itertools import count
from pathlib import Path
from typing import Any

from pymongo import monitoring

from xget_contracts.events import PageParsed
from xget_contracts.items import Metrics
from xget_kernel.secrets import Secret
from xget_storage.adapters.mongo import opened_mongo
from xget_storage.adapters.mongo_documents import MongoDocuments
from xget_storage.ports import Actor
from xget_storage.settings import Settings
from xget_testing.contracts.pages import START, make_author, make_item, make_page

TRIES, FAILED = 3, 3
WRITES = ("insert", "update", "delete", "findAndModify")


class Death(monitoring.CommandListener):
    """Kills its process when the n-th write is answered."""

    def __init__(self) -> None:
        self.left: int | None = None
        self.seen = 0

    def started(self, event: Any) -> None: ...

    def failed(self, event: Any) -> None: ...

    def succeeded(self, event: Any) -> None:
        if self.left is None or event.command_name not in WRITES:
            return
        self.seen += 1
        if self.seen == self.left:
            os.kill(os.getpid(), signal.SIGKILL)


def before() -> list[PageParsed]:
    """What is stored already: another owner's items, an earlier execution of the task, a page before its first."""
    other = make_page(1, [make_item(n) for n in range(4)], execution_id="e8", task_id="t8", owner_id="owner-2")
    late = [make_item(30, role="context"), make_item(31), make_item(2)]
    return [
        other,
        make_page(1, [make_item(2), make_item(5, role="context")], execution_id="e0", authors=[make_author(1)]),
        make_page(2, late, execution_id="e3", after=5),
    ]


def batch() -> list[PageParsed]:
    """New and known items, changes, duplicates (one on its own page), context that becomes a match, a page again.

    And a page that comes late, and takes items from the one behind it.
    """
    authors = [make_author(n, name=f"renamed {n}") for n in range(3)]
    items = [make_item(n, text=f"text {n % 2}") for n in range(8)]
    second = [make_item(5), make_item(20, role="context"), make_item(21)]
    late = [make_item(30), make_item(31), make_item(32), make_item(2, metrics=Metrics(likes=99))]
    return [
        make_page(1, items, authors=authors, after=10),
        make_page(2, [*second, make_item(0, text="later")], after=20),
        make_page(3, [make_item(20), make_item(22), make_item(22, text="again"), make_item(9)], after=30),
        make_page(2, [*second, make_item(23)], after=40, attempt=2),
        make_page(1, [make_item(n, lang="zh") for n in range(3)], execution_id="e2", after=50),
        make_page(1, late, execution_id="e3", after=4, replay=True),
    ]


def settings(url: str, name: str) -> Settings:
    """Settings of one database."""
    return Settings(home=Path(), grpc_port=0, mongodb_url=Secret(url), mongodb_db=name)


async def run(url: str, name: str, size: int, death: Death, moment: int) -> None:
    """Store what is before, and then die at `moment` (0: not)."""
    async with opened_mongo(settings(url, name)) as server:
        await server.database.client.drop_database(name)  # what a try before left
        store = MongoDocuments(server, batch=size)
        await store.open()
        await store.store_pages(before(), START)
        await store.delete("x:3", "owner-2", by=Actor(user_id="owner-2", at=START))
        death.left = moment
        await store.store_pages(batch(), START)


def main(url: str, prefix: str, size: int) -> int:
    """Fork one process per moment; the number of writes of the whole batch."""
    for moment in count():
        codes = (_in_child(url, f"{prefix}{moment}", size, moment) for _ in range(TRIES))
        code = next((code for code in codes if code != FAILED), FAILED)
        if code == FAILED:
            raise SystemExit(f"the batch could not be stored, {TRIES} times (moment {moment})")
        if moment and code == 0:
            return moment - 1
    raise AssertionError


def _in_child(url: str, name: str, size: int, moment: int) -> int:
    """Exit code of a process that stores the batch: 0 when it was not killed, negative when it was."""
    child = os.fork()
    if child == 0:
        death = Death()
        monitoring.register(death)
        try:
            asyncio.run(run(url, name, size, death, moment))
        except Exception:  # noqa: BLE001 - a busy server: the parent tries again
            traceback.print_exc()
            os._exit(FAILED)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


if __name__ == "__main__":
    print(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
