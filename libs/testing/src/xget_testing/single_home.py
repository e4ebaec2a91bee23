"""A single node's folder with something of everything, written by the services' own code in a second or two."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any, Final, Literal

import msgspec
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    insert,
)

from xget_contracts.items import Item, Media, Metrics
from xget_db.engine import Database
from xget_db.migrations import upgrade
from xget_db.types import JsonDict, JsonList, UtcDateTime
from xget_events.sqlite import SqliteEventLog
from xget_events.topics import load_topics
from xget_kernel.keys import KeyStore
from xget_kernel.messages import Message
from xget_kernel.secrets import Keyring
from xget_standalone.home import Home
from xget_standalone.migration.keys import KEEPERS, sealed_of
from xget_storage.adapters.sqlite_documents import SqliteDocuments
from xget_storage.adapters.sqlite_raw_pages import SqliteRawPages
from xget_storage.models import RawPage, StoredItem, Takedown, TakedownNote, TakedownState
from xget_storage.ports import Actor
from xget_testing.contracts.pages import START, make_author, make_item, make_page

SERVICES: Final = ("auth", "account", "proxy", "scraper", "processing")
WORDS: Final = (
    "coffee",
    "咖啡 in 北京",
    "naïve café",
    "\U0001f980 crab",
    "O'Hara; --",
    "日本語テスト",
    'a "quoted" one',
)


class SingleHome:
    """What to write, all of it random by `seed`."""

    def __init__(self, folder: Path, *, seed: int = 1, rows: int = 40, pages: int = 12) -> None:
        self.folder = folder
        self._random = random.Random(seed)
        self._seed = seed
        self._rows = rows
        self._pages = pages
        self.keyring: Keyring

    async def write(self) -> None:
        """Write all of it."""
        with Home(self.folder):
            self.keyring = KeyStore(self.folder / "keys.json").open()
            for service in SERVICES:
                await self._tables(service)
            await self._documents()
            await self._raw_pages()
            await self._events()

    async def _tables(self, service: str) -> None:
        url = f"sqlite+aiosqlite:///{self.folder / service}.db"
        upgrade(url, f"xget_{service}")
        database = Database(url)
        metadata: MetaData = import_module(f"xget_{service}.models").Base.metadata
        known: dict[Column[Any], list[Any]] = {}
        try:
            for table in metadata.sorted_tables:
                rows = list(self._of_table(service, table, known))
                async with database.transaction() as session:
                    await session.execute(insert(table), rows)
                for column in table.columns:
                    known[column] = [row[column.name] for row in rows]
        finally:
            await database.close()

    def _of_table(self, service: str, table: Table, known: dict[Column[Any], list[Any]]) -> Iterator[dict[str, Any]]:
        large = any(isinstance(column.type, LargeBinary) for column in table.columns)
        for n in range(20 if large else self._rows):
            row = {column.name: self._value(column, n, known) for column in table.columns}
            if table.name == "outbox":
                row["headers"] = {"ce_id": f"{self._seed}-{n}", "ce_type": "xget.Test"}
            for sealed in sealed_of(service) if service in KEEPERS else ():
                for name in sealed.columns if sealed.table == table.name else ():
                    if row[name] is not None:
                        row[name] = self.keyring.encrypt(row[name], aad=sealed.place(row[sealed.key], name))
            yield row

    def _value(self, column: Column[Any], n: int, known: dict[Column[Any], list[Any]]) -> Any:
        chance = self._random
        unique = column.primary_key or column.unique or _in_unique(column)
        for key in column.foreign_keys:
            parents = known[key.column]
            return parents[n % len(parents)] if unique else chance.choice(parents)
        if column.nullable and not unique and chance.random() < 0.3:
            return None
        makers: list[tuple[tuple[type, ...], Any]] = [
            ((JsonList,), self._list),
            ((JsonDict, JSON), lambda: {"z": self._list(), "a": {"b": chance.choice(WORDS)}}),
            ((Boolean,), lambda: chance.random() < 0.5),
            ((Integer,), lambda: n + 1 if unique else chance.randrange(2**31)),
            ((Float,), lambda: chance.random() * 10 ** chance.randrange(-5, 9)),
            ((LargeBinary,), lambda: chance.randbytes(chance.randrange(3000))),
            ((UtcDateTime,), lambda: START + timedelta(microseconds=chance.randrange(10**13))),
            ((String,), lambda: self._text(n, unique)[: getattr(column.type, "length", None) or 500]),
        ]
        return next(make for kinds, make in makers if isinstance(column.type, kinds))()

    def _list(self) -> list[Any]:
        return [self._random.choice(WORDS), self._random.random(), self._random.randrange(10**6), None, True]

    def _text(self, n: int, unique: bool) -> str:
        word = self._random.choice(WORDS)
        return f"{self._seed}-{n}-{word}" if unique else word * self._random.randrange(1, 3)

    async def _documents(self) -> None:
        store = SqliteDocuments(self.folder / "documents.db")
        await store.open()
        chance = self._random
        try:
            for number in range(1, self._pages + 1):
                owner = chance.choice(("owner-1", "owner-2"))
                execution = chance.randrange(3)
                items = [self._item(chance.randrange(self._pages * 12)) for _ in range(25)]
                authors = [make_author(chance.randrange(30), description=chance.choice(WORDS)) for _ in range(5)]
                page = make_page(
                    number, items, authors=authors, owner_id=owner, task_id=f"t-{owner}-{execution % 2}",
                    execution_id=f"e{self._seed}-{owner}-{execution}", after=chance.randrange(10**5),
                )  # fmt: skip
                await store.store_pages([page], START)
            await self._changes(store)
        finally:
            await store.close()

    def _item(self, number: int) -> Item:
        chance = self._random
        media = [Media(type="photo", url=f"https://e.test/{number}.jpg")] if chance.random() < 0.3 else []
        return make_item(
            number, text=f"{chance.choice(WORDS)} {number}", role=chance.choice(("match", "match", "context")),
            metrics=Metrics(likes=chance.randrange(1000), views=chance.randrange(10**9)), media=media,
            extra={"big": 2**70 if number % 17 == 0 else number, "f": 0.1, "list": [1, None, "é"]},
        )  # fmt: skip

    async def _changes(self, store: SqliteDocuments) -> None:
        found = list(await store.scan(None, 60))
        for n, key in enumerate(found[:24]):
            by = Actor(user_id="admin", at=START + timedelta(days=1, minutes=n))
            if n % 3 == 2:
                item = await store.get(key, None)
                owner = None if n % 2 or item is None else next(iter(item.seen_by))
                await store.delete(key, owner, by=by)
            else:
                await store.edit(key, None, {"text": f"edited {n}"}, rev=None, by=by)
        own = msgspec.convert(
            msgspec.to_builtins(make_item(10**6 + self._seed))
            | {
                "first_seen": START, "last_seen": START, "content_at": START, "source": "import",
                "seen_by": {"owner-1": []},
            },
            StoredItem,
        )  # fmt: skip
        await store.add([own], "owner-1")
        await self._takedown(store)

    async def _takedown(self, store: SqliteDocuments) -> None:
        """An author with two posts who is gone already, and one whose ban was lifted."""
        theirs = {"author_key": "x:900", "author_id": "900"}
        items = [make_item(10**7 + 2 * self._seed + n, **theirs) for n in range(2)]
        page = make_page(1, items, execution_id=f"e{self._seed}-gone", task_id="t-gone")
        await store.store_pages([page], START)
        takedowns: tuple[tuple[str, TakedownState, Literal["forget", "lift"]], ...] = (
            ("x:900", "done", "forget"),
            ("x:901", "lifted", "lift"),
        )
        for key, state, action in takedowns:
            note = TakedownNote(action=action, actor="admin", at=START, reason="asked for")
            takedown = Takedown(author_key=key, state=state, pending=False, due=START, items=2, notes=[note])
            await store.put_takedown(takedown)
        await store.erase("x:900", None, by=Actor(user_id="admin", at=START))

    async def _raw_pages(self) -> None:
        store = SqliteRawPages(self.folder / "raw_pages.db")
        await store.open()
        try:
            for number in range(1, self._pages + 1):
                page = RawPage(
                    execution_id=f"e{self._seed}-owner-1-0", page_no=number, task_id="t1", owner_id="owner-1",
                    platform="x", operation="SearchTimeline", fetched_at=START, sha256="0" * 64,
                    body_zstd=self._random.randbytes(5000),
                )  # fmt: skip
                await store.put([page], datetime.now(UTC) - timedelta(hours=number))
        finally:
            await store.close()

    async def _events(self) -> None:
        log = SqliteEventLog(self.folder / "events.db")
        try:
            await log.create_topics(load_topics())
            for topic in ("xget.tasks", "xget.pages", "xget.results", "xget.stored", "xget.pages.dlq"):
                messages = [
                    Message(topic=topic, key=f"k{n % 7}", value=f"{n} {WORDS[n % 7]}".encode(), headers={"n": str(n)})
                    for n in range(30 * self._pages)
                ]
                await log.publish(messages)
            for group, topic in (
                ("storage", "xget.results"),
                ("scraper-workers", "xget.tasks"),
                ("processing", "xget.pages"),
            ):
                async with log.consumer(group, [topic]) as consumer:
                    await consumer.commit(await consumer.poll(10 * self._pages))
        finally:
            await log.close()


def _in_unique(column: Column[Any]) -> bool:
    table = column.table
    if not isinstance(table, Table):
        return False
    constraints = [one.columns for one in table.constraints if isinstance(one, UniqueConstraint)]
    indexes = [one.columns for one in table.indexes if one.unique]
    return any(column.name in columns for columns in [*constraints, *indexes])
