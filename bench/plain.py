"""The plain loop: what one would write first, so that the line has something to be compared with.

For every record of a page, one after the other: validate it with pydantic, look it up, insert or update it, commit.
It parses with the same parser, and ends with the same things as the line: pages as received, items, authors, sightings
and a full-text index, in SQLite files with the same settings (WAL, synchronous=FULL). Twice: through SQLAlchemy's
async sessions, as XGet's own services reach their tables (`Database`), and through bare sqlite3.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from pydantic import BaseModel
from sqlalchemy import select, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from xget_contracts.events import PageCollected
from xget_db.engine import Database
from xget_processing.service.parsing import PageParser

TABLES = (
    "CREATE TABLE pages (execution TEXT, page_no INTEGER, body BLOB, PRIMARY KEY (execution, page_no))",
    "CREATE TABLE items (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, at TEXT, doc TEXT NOT NULL)",
    "CREATE INDEX items_at ON items (at)",
    "CREATE TABLE authors (key TEXT PRIMARY KEY, doc TEXT NOT NULL)",
    "CREATE TABLE sightings (execution TEXT, item INTEGER, metrics TEXT, PRIMARY KEY (execution, item))",
    "CREATE VIRTUAL TABLE words USING fts5 (text)",
)
PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "cache_size=-8192")


class Metrics(BaseModel):
    """Counts of a post or an author."""

    replies: int | None = None
    reposts: int | None = None
    likes: int | None = None
    quotes: int | None = None
    bookmarks: int | None = None
    views: int | None = None
    followers: int | None = None
    following: int | None = None
    posts: int | None = None


class Post(BaseModel):
    """An item."""

    key: str
    kind: str = "post"
    role: str = "context"
    url: str | None = None
    text: str = ""
    raw_text: str | None = None
    lang: str | None = None
    created_at: datetime | None = None
    author_key: str | None = None
    author_username: str | None = None
    conversation_id: str | None = None
    hashtags: list[str] = []
    mentions: list[dict[str, Any]] = []
    links: list[dict[str, Any]] = []
    media: list[dict[str, Any]] = []
    metrics: Metrics = Metrics()
    extra: dict[str, Any] = {}


class Person(BaseModel):
    """An author."""

    key: str
    username: str
    name: str
    description: str = ""
    created_at: datetime | None = None
    metrics: Metrics = Metrics()
    extra: dict[str, Any] = {}


class Base(DeclarativeBase):
    """Tables of the loop through SQLAlchemy."""


class PageRow(Base):
    """A page as received."""

    __tablename__ = "pages"
    execution: Mapped[str] = mapped_column(primary_key=True)
    page_no: Mapped[int] = mapped_column(primary_key=True)
    body: Mapped[bytes]


class ItemRow(Base):
    """An item."""

    __tablename__ = "items"
    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str]
    at: Mapped[str]
    doc: Mapped[str]


class AuthorRow(Base):
    """An author."""

    __tablename__ = "authors"
    key: Mapped[str] = mapped_column(primary_key=True)
    doc: Mapped[str]


class SightingRow(Base):
    """An item as one execution saw it."""

    __tablename__ = "sightings"
    execution: Mapped[str] = mapped_column(primary_key=True)
    item: Mapped[int] = mapped_column(primary_key=True)
    metrics: Mapped[str]


async def through_sqlalchemy(path: Path, pages: Iterable[PageCollected], parser: PageParser) -> int:
    """Store pages with a transaction of the house's own `Database` for each record; how many items that were."""
    database = Database(f"sqlite+aiosqlite:///{path}")
    async with database.transaction() as session:
        for table in TABLES:
            await session.execute(text(table))
    for page in pages:
        found = parser.parse(page).result
        async with database.transaction() as session:
            session.add(PageRow(execution=page.execution_id, page_no=page.page_no, body=page.body_zstd))
        for item in found.items:
            await _add_item(database, page.execution_id, Post.model_validate(msgspec.to_builtins(item)))
        for author in found.authors:
            person = Person.model_validate(msgspec.to_builtins(author))
            async with database.transaction() as session:
                known = await session.get(AuthorRow, person.key)
                if known is None:
                    session.add(AuthorRow(key=person.key, doc=person.model_dump_json()))
                else:
                    known.doc = person.model_dump_json()
    async with database.read() as session:
        count = await session.scalar(text("SELECT count(*) FROM items"))
    await database.close()
    return int(count or 0)


async def _add_item(database: Database, execution: str, post: Post) -> None:
    async with database.transaction() as session:
        row = (await session.scalars(select(ItemRow).where(ItemRow.key == post.key))).one_or_none()
        if row is None:
            row = ItemRow(key=post.key, at=str(post.created_at), doc=post.model_dump_json())
            session.add(row)
            await session.flush()
            words = {"id": row.id, "text": post.text}
            await session.execute(text("INSERT INTO words (rowid, text) VALUES (:id, :text)"), words)
        else:
            row.doc = post.model_dump_json()
        if await session.get(SightingRow, (execution, row.id)) is None:
            session.add(SightingRow(execution=execution, item=row.id, metrics=post.metrics.model_dump_json()))


def through_sqlite3(path: Path, pages: Iterable[PageCollected], parser: PageParser) -> int:
    """Store pages with a transaction of the standard library's sqlite3 for each record; how many items that were."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        run = connection.execute
        for statement in (*(f"PRAGMA {pragma}" for pragma in PRAGMAS), *TABLES):
            run(statement)
        for page in pages:
            found = parser.parse(page).result
            run("INSERT INTO pages VALUES (?, ?, ?)", (page.execution_id, page.page_no, page.body_zstd))
            for item in found.items:
                post = Post.model_validate(msgspec.to_builtins(item))
                run("BEGIN IMMEDIATE")
                _write_item(connection, page.execution_id, post)
                run("COMMIT")
            for author in found.authors:
                person = Person.model_validate(msgspec.to_builtins(author))
                run("BEGIN IMMEDIATE")
                _write_author(connection, person)
                run("COMMIT")
        return int(run("SELECT count(*) FROM items").fetchone()[0])


def _write_item(connection: sqlite3.Connection, execution: str, post: Post) -> None:
    run = connection.execute
    document = post.model_dump_json()
    known = run("SELECT id FROM items WHERE key = ?", (post.key,)).fetchone()
    if known is None:
        sql = "INSERT INTO items (key, at, doc) VALUES (?, ?, ?)"
        number = run(sql, (post.key, str(post.created_at), document)).lastrowid
        run("INSERT INTO words (rowid, text) VALUES (?, ?)", (number, post.text))
    else:
        number = known[0]
        run("UPDATE items SET doc = ? WHERE id = ?", (document, number))
    sighting = run("SELECT 1 FROM sightings WHERE execution = ? AND item = ?", (execution, number)).fetchone()
    if sighting is None:
        run("INSERT INTO sightings VALUES (?, ?, ?)", (execution, number, post.metrics.model_dump_json()))


def _write_author(connection: sqlite3.Connection, person: Person) -> None:
    run = connection.execute
    document = person.model_dump_json()
    if run("SELECT 1 FROM authors WHERE key = ?", (person.key,)).fetchone() is None:
        run("INSERT INTO authors VALUES (?, ?)", (person.key, document))
    else:
        run("UPDATE authors SET doc = ? WHERE key = ?", (document, person.key))
