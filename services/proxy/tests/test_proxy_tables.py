"""The migrations make the tables that the code expects and can be undone; a newer database is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from xget_db.migrations import downgrade, upgrade
from xget_kernel.errors import StartupError
from xget_kernel.secrets import Secret
from xget_proxy.app import create_app
from xget_proxy.models import Base
from xget_proxy.settings import Settings
from xget_testing.apps import running
from xget_testing.database import assert_tables_match, database_url, query, table_names

__all__ = ["database_url"]


def test_migrations_and_models_agree_and_can_be_undone(database_url: str) -> None:
    assert_tables_match("xget_proxy", Base.metadata, database_url)
    downgrade(database_url, "xget_proxy")
    assert table_names(database_url) == {"xget_proxy_version"}
    upgrade(database_url, "xget_proxy")


async def test_tables_of_a_newer_version_are_refused_with_the_fix(tmp_path: Path, database_url: str) -> None:
    settings = Settings(home=tmp_path, database_url=Secret(database_url), port=0, internal_token="inner")
    async with running(create_app(settings)):
        pass
    query(database_url, "UPDATE xget_proxy_version SET version_num = '9999'")
    with pytest.raises(StartupError, match="newer"):
        async with running(create_app(settings)):
            pass
