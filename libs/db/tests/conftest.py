"""A small service's tables, in a real file and on a real server."""

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import ForeignKey
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from xget_db.base import new_metadata
from xget_db.data_keys import data_keys_table
from xget_db.engine import Database
from xget_db.inbox import inbox_table
from xget_db.outbox import outbox_table
from xget_testing.database import created, database_url, postgres_schema
from xget_testing.migrating import package

__all__ = ["database_url", "package", "postgres_schema"]


class Base(DeclarativeBase):
    metadata = new_metadata()


class Task(Base):
    __tablename__ = "tasks"
    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]


class Run(Base):
    __tablename__ = "runs"
    id: Mapped[str] = mapped_column(primary_key=True)
    task_id: Mapped[str] = mapped_column(ForeignKey("tasks.id"))


class TaskMade(msgspec.Struct):
    number: int


OUTBOX = outbox_table(Base.metadata)
INBOX = inbox_table(Base.metadata)
data_keys_table(Base.metadata)


class Sample:
    """What tests need of the sample service."""

    Task, Run, Made, outbox, metadata = Task, Run, TaskMade, OUTBOX, Base.metadata


@pytest.fixture
def sample() -> type[Sample]:
    return Sample


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sample.db"


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    async with created(Base.metadata, database_url) as database:
        yield database


@pytest.fixture
async def file(path: Path) -> AsyncIterator[Database]:
    """The database where it matters that it is a file."""
    async with created(Base.metadata, path) as database:
        yield database


@pytest.fixture
async def server(postgres_schema: str) -> AsyncIterator[Database]:
    """The database where it matters that it is a server; mark the test `connected("postgres")`."""
    async with created(Base.metadata, postgres_schema) as database:
        yield database
