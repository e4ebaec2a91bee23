"""The migrations make the tables that the code expects, on each database, and can be undone."""

from __future__ import annotations

from xget_db.migrations import downgrade, state, upgrade
from xget_processing.models import Base
from xget_testing.database import assert_tables_match, database_url, table_names

__all__ = ["database_url"]


def test_migrations_and_models_agree_and_can_be_undone(database_url: str) -> None:
    assert_tables_match("xget_processing", Base.metadata, database_url)
    current, head = state(database_url, "xget_processing")
    assert current == head is not None
    downgrade(database_url, "xget_processing")
    assert table_names(database_url) == {"xget_processing_version"}
    upgrade(database_url, "xget_processing")
