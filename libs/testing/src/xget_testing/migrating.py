"""A package with migrations that grow, for tests of migrating."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

__all__ = ["package"]

MODELS: Final = """
    from sqlalchemy import ForeignKey
    from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
    from xget_db.base import new_metadata
    from xget_db.outbox import outbox_table

    class Base(DeclarativeBase):
        metadata = new_metadata()

    class Task(Base):
        __tablename__ = "tasks"
        id: Mapped[str] = mapped_column(primary_key=True)

    class Run(Base):
        __tablename__ = "runs"
        id: Mapped[str] = mapped_column(primary_key=True)
        task_id: Mapped[str] = mapped_column(ForeignKey("tasks.id", ondelete="CASCADE"))

    outbox_table(Base.metadata)
"""
ENV: Final = """
    from alembic import context
    from xget_db.migrations import run_env
    from {package}.models import Base

    run_env(context, Base.metadata)
"""
FIRST: Final = """
    import sqlalchemy as sa
    from alembic import op
    from xget_db.outbox import outbox_columns

    revision = "0001"
    down_revision = None

    def upgrade():
        op.create_table("tasks", sa.Column("id", sa.String(), primary_key=True))
        key = sa.ForeignKey("tasks.id", ondelete="CASCADE")
        task_id = sa.Column("task_id", sa.String(), key, nullable=False)
        op.create_table("runs", sa.Column("id", sa.String(), primary_key=True), task_id)
        op.create_table("outbox", *outbox_columns(), sqlite_autoincrement=True)

    def downgrade():
        op.drop_table("outbox")
        op.drop_table("runs")
        op.drop_table("tasks")
"""
LATER: Final = """
    import sqlalchemy as sa
    from alembic import op

    revision = "{revision}"
    down_revision = "{before}"

    def upgrade():
        {body}

    def downgrade():
        {back}
"""


class Package:
    """A service on the path of this test, whose migrations grow."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name, self.folder = name, folder / name
        self.versions = self.folder / "migrations" / "versions"
        self.versions.mkdir(parents=True)
        self._write(self.folder / "__init__.py", "")
        self._write(self.folder / "models.py", MODELS)
        self._write(self.folder / "migrations" / "env.py", ENV.format(package=name))
        self._write(self.versions / "0001_first.py", FIRST)

    def add(self, revision: str, before: str, body: str, back: str = "pass") -> None:
        """One more migration, with the statements that do and undo it."""
        text = textwrap.dedent(LATER).format(revision=revision, before=before, body=body, back=back)
        self._write(self.versions / f"{revision}_later.py", text)

    def forget(self, revision: str) -> None:
        """As an older version of the code, which lacks it."""
        (self.versions / f"{revision}_later.py").unlink()

    def _write(self, path: Path, text: str) -> None:
        path.write_text(textwrap.dedent(text))


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[Package]:
    """A package with one migration, importable in this test alone."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    folder = tmp_path / "site 100%"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    made = Package(folder, f"sample_{abs(hash(request.node.name))}")
    yield made
    for name in [name for name in sys.modules if name.startswith(made.name)]:
        del sys.modules[name]
