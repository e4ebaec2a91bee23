"""The migrations make the tables that the code expects, on each database, and can be undone."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from xget_db.engine import Database
from xget_db.migrations import downgrade, state, upgrade
from xget_kernel.ids import new_id
from xget_scraper.models import Base, Execution, Phase, Task
from xget_testing.database import assert_tables_match, database_url, table_names

__all__ = ["database_url"]


def test_migrations_and_models_agree_and_can_be_undone(database_url: str) -> None:
    assert_tables_match("xget_scraper", Base.metadata, database_url)
    current, head = state(database_url, "xget_scraper")
    assert current == head is not None
    downgrade(database_url, "xget_scraper")
    assert table_names(database_url) == {"xget_scraper_version"}
    upgrade(database_url, "xget_scraper")


NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SOON = NOW + timedelta(hours=1)


async def write(database_url: str, states: list[dict[str, object]]) -> None:
    database = Database(database_url)
    async with database.transaction() as session:
        for values in states:
            task = Task(
                id=new_id(), user_id="ada", pool_owners=["ada"], task_name="t", describe="", task_type="USER_INFO",
                platform="x", parameters={}, priority=1, immediate=False, created_at=NOW, updated_at=NOW,
            )  # fmt: skip
            run = Execution.queued(task, NOW)
            for name, value in values.items():
                setattr(run, name, value)
            task.execution_id = run.id
            session.add(task)
            await session.flush()
            session.add(run)
    await database.close()


async def told(database_url: str) -> list[tuple[object, object]]:
    """What tasks say that they wait for, and what their runs say, in the order in which they were written."""
    database = Database(database_url)
    async with database.read() as session:
        query = select(Task, Execution).join(Execution, Execution.id == Task.execution_id).order_by(Task.id)
        found: list[tuple[object, object]] = [(one.waiting, run.waiting) for one, run in await session.execute(query)]
    await database.close()
    return found


def test_tasks_that_wait_during_an_upgrade_say_for_what(database_url: str) -> None:
    upgrade(database_url, "xget_scraper")
    states: list[dict[str, object]] = [
        {},
        {"resume_at": SOON},
        {"resume_at": SOON, "waiting_since": NOW},
        {"phase": Phase.DRAINING.value},
        {"phase": Phase.COLLECTING.value},
        {"phase": Phase.ENDED.value, "waiting_since": NOW},
    ]
    asyncio.run(write(database_url, states))
    downgrade(database_url, "xget_scraper", "0006")
    upgrade(database_url, "xget_scraper")
    found = asyncio.run(told(database_url))
    assert [task for task, _ in found] == [run for _, run in found]
    reasons = [task["reason"] if isinstance(task, dict) else None for task, _ in found]
    assert reasons == ["worker", "retry", "account", "storage", None, None]
