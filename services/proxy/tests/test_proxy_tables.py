"""The migrations make the tables that the code expects; a newer database is refused."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from xget_db.migrations import upgrade
from xget_kernel.errors import StartupError
from xget_proxy.app import create_app
from xget_proxy.models import Base
from xget_proxy.settings import Settings
from xget_testing.apps import running


def test_migrations_and_models_agree(tmp_path: Path) -> None:
    path = tmp_path / "proxy.db"
    upgrade(f"sqlite+aiosqlite:///{path}", "xget_proxy")
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        options = {"include_name": lambda name, kind, _: not str(name).endswith("_version")}
        found = compare_metadata(MigrationContext.configure(connection, opts=options), Base.metadata)
    engine.dispose()
    assert found == []


async def test_a_home_of_a_newer_version_is_refused_with_the_fix(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, port=0, internal_token="inner")
    async with running(create_app(settings)):
        pass
    db = sqlite3.connect(tmp_path / "proxy.db")
    db.execute("UPDATE xget_proxy_version SET version_num = '9999'")
    db.commit()
    db.close()
    with pytest.raises(StartupError, match="newer"):
        async with running(create_app(settings)):
            pass
