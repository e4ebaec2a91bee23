"""What has to move for this source and this target, in the order in which it can."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from contextlib import AsyncExitStack

from xget_db.engine import Database
from xget_db.migrations import state, upgrade
from xget_db.postgres.address import is_postgres
from xget_events.kafka import KafkaEventLog
from xget_standalone.migration.contents import on_elasticsearch, on_kafka, on_mongo
from xget_standalone.migration.documents import DocumentShelf, RawPageShelf, check_layout
from xget_standalone.migration.events import EventStep, check_log, specs, topics_of
from xget_standalone.migration.files import FileStep
from xget_standalone.migration.keys import KeyStep, SecretStep
from xget_standalone.migration.search import SearchStep
from xget_standalone.migration.source import Source
from xget_standalone.migration.steps import ShelfStep, Step
from xget_standalone.migration.tables import SERVICES, TableShelf, check_version, readable, tables_of
from xget_standalone.migration.target import Target
from xget_storage.adapters.mongo import opened_mongo
from xget_storage.adapters.mongo_documents.importing import MongoArchive
from xget_storage.adapters.sqlite_documents import exporting
from xget_storage.adapters.stores import Stores
from xget_storage.schemas.archive import KINDS
from xget_storage.settings import Settings as StorageSettings

_RAW_PAGES_LAYOUT = 1


class Plan:
    """Steps for a source and a target. Connections close with `stack`."""

    def __init__(self, source: Source, target: Target, stack: AsyncExitStack, *, merge: bool) -> None:
        self.merge = merge
        self.notes: list[str] = []
        self._source = source
        self._target = target
        self._stack = stack
        self._tables: dict[str, Database] = {}
        self._shelves: list[TableShelf] = []
        self._archive: MongoArchive | None = None
        self._opened: Stores | None = None
        self._storage = StorageSettings(home=target.home)

    async def look(self) -> dict[str, int]:
        """Check the source, reach the target, and say what it holds. Changes nothing. Raises StartupError."""
        found: dict[str, int] = {}
        if not self._target.stays("tables"):
            found |= await self._look_at_tables()
        self._check_files()
        settings = self._target.settings
        if settings.is_real("documents"):
            server = await self._stack.enter_async_context(opened_mongo(self._storage))
            self._archive = MongoArchive(server)
            found |= await on_mongo(self._archive)
        if settings.is_real("search"):
            found |= await on_elasticsearch(settings)
        if settings.is_real("events"):
            found |= await on_kafka(settings)
        return found

    async def steps(self, *, dry_run: bool) -> list[Step]:
        """All that moves. Makes tables, collections, topics in the target first, unless it is a dry run."""
        given = os.environ.get("XGET_KEYS") or None
        steps: list[Step] = [KeyStep(self._source.path, self._target.home, given)]
        if self._target.stays("tables"):
            self.notes.append("Tables stay where they are.")
        else:
            if not dry_run:
                for name, database in self._tables.items():
                    await asyncio.to_thread(upgrade, database.url, f"xget_{name}")
            steps += [ShelfStep(shelf, self.merge) for shelf in self._shelves]
        steps += await self._documents(dry_run=dry_run)
        steps += await self._events(dry_run=dry_run)
        steps += await self._search(dry_run=dry_run)
        if self._tables and not dry_run:
            steps.append(SecretStep(self._target.home, given, self._tables))
        return steps

    async def _look_at_tables(self) -> dict[str, int]:
        found = {}
        for service in SERVICES:
            connection = self._source.connect(f"{service}.db")
            if connection is None:
                continue
            check_version(connection, service, str(self._source.path))
            url = self._target.of(service).tables(service)
            if is_postgres(url):
                await asyncio.to_thread(state, url, f"xget_{service}")  # says what is wrong with the server
            database = self._tables[service] = Database(url)
            self._stack.push_async_callback(database.close)
            engine = self._stack.enter_context(readable(connection))
            for table in tables_of(service):
                shelf = TableShelf(service, table, engine, database, shifts=self.merge)
                self._shelves.append(shelf)
                if rows := await shelf.target_total():
                    found[shelf.name] = rows
        return found

    def _check_files(self) -> None:
        for name, layout in (("documents.db", exporting.LAYOUT), ("raw_pages.db", _RAW_PAGES_LAYOUT)):
            connection = self._source.connect(name)
            if connection is not None:
                check_layout(connection, name, layout)
        events = self._source.connect("events.db")
        if events is not None:
            check_log(events)

    async def _documents(self, *, dry_run: bool) -> list[Step]:
        if self._target.stays("documents"):
            self.notes.append("Documents stay where they are.")
            return []
        documents, raw_pages = self._source.connect("documents.db"), self._source.connect("raw_pages.db")
        if self._archive is None:
            return self._copies("documents", ("documents.db", documents), ("raw_pages.db", raw_pages))
        if not dry_run:
            await self._archive.open()
        steps: list[Step] = []
        if documents is not None:
            steps += [ShelfStep(DocumentShelf(kind, documents, self._archive), self.merge) for kind in KINDS]
        if raw_pages is not None and not dry_run:
            stores = await self._stores()
            steps.append(ShelfStep(RawPageShelf(raw_pages, stores.raw_pages), self.merge))
        return steps

    def _copies(self, concern: str, *files: tuple[str, sqlite3.Connection | None]) -> list[Step]:
        return [
            FileStep(concern, connection, self._target.home / name)
            for name, connection in files
            if connection is not None
        ]

    async def _events(self, *, dry_run: bool) -> list[Step]:
        source, settings = self._source.connect("events.db"), self._target.settings
        if self._target.stays("events"):
            self.notes.append("Events stay where they are.")
            return []
        if source is None:
            return []
        if not settings.is_real("events"):
            return self._copies("events", ("events.db", source))
        log = KafkaEventLog(settings)
        self._stack.push_async_callback(log.close)
        if not dry_run:
            await log.create_topics(specs(source, settings))
        topics = topics_of(source, settings)
        return [EventStep(topic, groups, source, log, settings) for topic, groups in sorted(topics.items())]

    async def _search(self, *, dry_run: bool) -> list[Step]:
        if self._target.stays("search") and self._target.stays("documents"):
            self.notes.append("Search stays where it is.")
            return []
        return [] if dry_run else [SearchStep(self._stores)]

    async def _stores(self) -> Stores:
        """The target's stores, opened when the files that they are on have been brought."""
        if self._opened is None:
            self._opened = await self._stack.enter_async_context(Stores.opened(self._storage))
        return self._opened
