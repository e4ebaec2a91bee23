"""Transactions of prepared statements keep what those of sessions keep, on both databases."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import (
    Executable,
    Integer,
    String,
    bindparam,
    delete,
    event,
    func,
    insert,
    literal,
    literal_column,
    select,
    text,
)

from xget_db.bells import Bell
from xget_db.direct import Build, Direct, Rows
from xget_db.engine import Database
from xget_db.engine.kept import MOMENT
from xget_db.types import JsonDict, UtcDateTime
from xget_kernel.errors import Unavailable
from xget_testing.database import created

NOON = datetime(2026, 11, 22, 12, 0, 0, 5, UTC)


class Statements:
    """Of the sample's tasks; the same objects each time."""

    def __init__(self, sample: Any) -> None:
        table = sample.Task.__table__
        words = bindparam("id", type_=String), bindparam("name", type_=String)

        def add(_postgres: bool) -> Executable:
            return insert(table).values(id=words[0], name=words[1])

        def named(_postgres: bool) -> Executable:
            return select(table.c.id).where(table.c.name == words[1]).order_by(table.c.id)

        self.add: Build = add
        self.named: Build = named


@pytest.fixture
def tasks(sample: Any) -> Statements:
    return Statements(sample)


async def names(db: Database, tasks: Statements, name: str = "x") -> list[str]:
    return [found for (found,) in await db.directly(lambda direct: direct.rows(tasks.named, {"name": name}))]


async def test_what_is_said_is_done_in_its_order_and_lasts(db: Database, tasks: Statements) -> None:
    told: list[int] = []

    async def add(direct: Direct) -> list[int]:
        direct.later(tasks.add, {"id": "a", "name": "x"})
        direct.after_commit(lambda: told.append(1))
        assert await direct.rows(tasks.named, {"name": "x"}) == [("a",)]
        direct.later(tasks.add, {"id": "b", "name": "x"})
        return [*told]

    assert (await db.directly(add), told, await names(db, tasks)) == ([], [1], ["a", "b"])


async def test_what_is_said_together_is_all_done(db: Database, tasks: Statements) -> None:
    async def add(direct: Direct) -> Rows:
        direct.together((tasks.add, {"id": "a", "name": "x"}), (tasks.add, {"id": "b", "name": "x"}))
        found = await direct.rows(tasks.named, {"name": "x"})
        direct.together((tasks.add, {"id": "c", "name": "x"}), (tasks.named, {"name": "x"}))
        direct.together((tasks.add, {"id": "d", "name": "x"}))
        return found

    assert await db.directly(add) == [("a",), ("b",)]
    assert await names(db, tasks) == ["a", "b", "c", "d"]


async def test_work_is_done_whole_or_not_at_all(db: Database, tasks: Statements) -> None:
    told: list[int] = []

    async def add(direct: Direct) -> Rows:
        direct.after_commit(lambda: told.append(1))
        direct.later(tasks.add, {"id": "a", "name": "x"})
        return await direct.rows(tasks.named, {"name": "x"})

    async def fail(direct: Direct) -> None:
        await add(direct)
        raise LookupError("mine")

    for _ in range(3):
        with pytest.raises(LookupError, match="mine"):
            await db.directly(fail)
    assert (told, await names(db, tasks)) == ([], [])
    assert (await db.directly(add), told, await names(db, tasks)) == ([("a",)], [1], ["a"])
    with pytest.raises(Exception, match=r"(?i)unique"):
        await db.directly(add)
    assert (told, await names(db, tasks)) == ([1], ["a"])
    async with db.transaction() as session:
        assert await session.scalar(select(literal(1))) == 1


async def test_a_transaction_that_the_database_ended_by_itself_hides_no_error(db: Database) -> None:
    def ended(_postgres: bool) -> Executable:
        return text("ROLLBACK")

    async def fail(direct: Direct) -> None:
        await direct.rows(_one, {})
        await direct.rows(ended, {})
        raise LookupError("mine")

    for _ in range(2):
        with pytest.raises(LookupError, match="mine"):
            await db.directly(fail)
    assert await db.directly(lambda direct: direct.rows(_one, {})) == [(1,)]


async def test_work_that_waits_for_something_else_is_a_mistake(path: Path, sample: Any, tasks: Statements) -> None:
    async def wait(direct: Direct) -> None:
        direct.later(tasks.add, {"id": "a", "name": "x"})
        await direct.rows(tasks.named, {"name": "x"})
        await asyncio.sleep(0)

    async with created(sample.metadata, path) as db:
        with pytest.raises(RuntimeError, match="waited for something else"):
            await db.directly(wait)
        assert await names(db, tasks) == []


async def test_of_what_is_cancelled_no_half_is_kept(db: Database, tasks: Statements) -> None:
    for number in range(5):

        async def add(direct: Direct, number: int = number) -> None:
            direct.later(tasks.add, {"id": f"{number}a", "name": "x"})
            await direct.rows(tasks.named, {"name": "x"})
            direct.later(tasks.add, {"id": f"{number}b", "name": "x"})

        task = asyncio.create_task(db.directly(add))
        await asyncio.sleep(0.0004 * number)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        found = [name for name in await names(db, tasks) if name.startswith(str(number))]
        assert found in ([], [f"{number}a", f"{number}b"])
        assert not task.cancelled() or await db.directly(lambda direct: direct.rows(_one, {})) == [(1,)]


async def test_values_have_the_types_of_their_columns(db: Database) -> None:
    def typed(_postgres: bool) -> Executable:
        at, told = bindparam("at", type_=UtcDateTime), bindparam("told", type_=JsonDict)
        return select(at.label("at"), told.label("told"), literal("fixed", String).label("fixed"))

    def bare(_postgres: bool) -> Executable:
        return select(literal_column("1", Integer))

    async def look(direct: Direct) -> Rows:
        return [
            *await direct.rows(bare, {}),
            *await direct.rows(typed, {"at": NOON, "told": {"a": [1]}}),
            *await direct.rows(typed, {"at": None, "told": None}),
        ]

    assert await db.directly(look) == [(1,), (NOON, {"a": [1]}, "fixed"), (None, None, "fixed")]


async def test_a_value_that_is_missing_and_a_list_are_mistakes(db: Database, sample: Any, tasks: Statements) -> None:
    def listed(_postgres: bool) -> Executable:
        return delete(sample.Task.__table__).where(sample.Task.__table__.c.id.in_(bindparam("ids", expanding=True)))

    with pytest.raises(KeyError, match="name"):
        await db.directly(lambda direct: direct.rows(tasks.named, {}))
    with pytest.raises(ValueError, match="as a set"):
        await db.directly(lambda direct: direct.rows(listed, {}))


async def test_values_that_never_change_stand_in_the_text(db: Database) -> None:
    seen: list[str] = []

    def fixed(_postgres: bool) -> Executable:
        wanted = literal(7, Integer).in_([6, 7]) & (literal("it's", String) == bindparam("name", type_=String))
        return select(literal(1)).where(wanted)

    event.listen(db.engine.sync_engine, "before_cursor_execute", lambda *told: seen.append(told[2]))
    assert await db.directly(lambda direct: direct.rows(fixed, {"name": "it's"})) == [(1,)]
    assert await db.directly(lambda direct: direct.rows(fixed, {"name": "x"})) == []
    assert "7 IN (6, 7)" in seen[0]
    assert "'it''s'" in seen[0]


async def test_single_statements_last_when_they_are_done(db: Database, tasks: Statements) -> None:
    async def fail(direct: Direct) -> None:
        await direct.rows(tasks.add, {"id": "a", "name": "x"})
        direct.later(tasks.add, {"id": "b", "name": "x"})
        assert await direct.rows(tasks.named, {"name": "x"}) == [("a",), ("b",)]
        raise LookupError

    async def work(direct: Direct) -> None:
        direct.later(tasks.add, {"id": "c", "name": "x"})

    with pytest.raises(LookupError):
        await db.singly(fail)
    assert await names(db, tasks) == (["a", "b"] if db.dialect == "postgresql" else [])
    await db.singly(work)
    assert "c" in await names(db, tasks)


async def test_those_who_wait_hear_of_it_when_it_has_committed(db: Database) -> None:
    heard: list[str] = []
    bell = Bell(db, "room")

    async def ring(direct: Direct) -> None:
        for build, values in bell.ring_directly(direct, ["b", "a"]):
            direct.later(build, values)

    async def fail(direct: Direct) -> None:
        await ring(direct)
        raise LookupError

    deaf = bell.listen(lambda word: heard.append(word) if word else None)  # "" comes when it begins to listen
    try:
        with pytest.raises(LookupError):
            await db.directly(fail)
        assert heard == []
        await db.directly(ring)
        assert heard == ["a", "b"]
    finally:
        deaf()
        await bell.close()


async def test_who_watches_statements_sees_them_without_values(db: Database, tasks: Statements) -> None:
    seen: list[str] = []
    failed: list[str] = []

    def watch(_connection: Any, _cursor: Any, statement: str, values: Any, _context: Any, _many: bool) -> None:
        seen.append(f"{statement} {values}")

    def fail(context: Any) -> None:
        assert context.execution_context is not None
        failed.append(str(context.original_exception))

    engine = db.engine.sync_engine
    event.listen(engine, "before_cursor_execute", watch)
    event.listen(engine, "handle_error", fail)
    try:
        assert await names(db, tasks, "secret") == []
        assert ([word.split(maxsplit=1)[0] for word in seen], failed) == (["SELECT", "COMMIT"], [])
        with pytest.raises(Exception, match="nothing_of_that_name"):
            await db.directly(lambda direct: direct.rows(_wrong, {}))
    finally:
        event.remove(engine, "before_cursor_execute", watch)
        event.remove(engine, "handle_error", fail)
    assert len(failed) == 1
    assert "nothing_of_that_name" in failed[0]
    assert "secret" not in str(seen)


@pytest.mark.connected("postgres")
async def test_a_server_that_is_gone_is_unavailable(postgres_schema: str) -> None:
    def end_me(_postgres: bool) -> Executable:
        return select(func.pg_terminate_backend(func.pg_backend_pid()))

    async def twice(direct: Direct) -> None:
        await direct.rows(end_me, {})
        await direct.rows(_one, {})

    db = Database(postgres_schema)
    try:
        with pytest.raises(Unavailable):
            await db.directly(twice)
        assert await db.directly(lambda direct: direct.rows(_one, {})) == [(1,)]
    finally:
        await db.close()


@pytest.mark.connected("postgres")
async def test_a_connection_is_kept_for_a_moment_and_goes_back_as_it_came(postgres_schema: str) -> None:
    def settings(_postgres: bool) -> Executable:
        return select(
            func.pg_backend_pid(), func.current_setting("plan_cache_mode"), func.current_setting("enable_seqscan")
        )

    db = Database(postgres_schema)
    try:
        (first,) = await db.directly(lambda direct: direct.rows(settings, {}))
        (second,) = await db.singly(lambda direct: direct.rows(settings, {}))
        assert first == second == (first[0], "force_generic_plan", "off")
        with pytest.raises(Exception, match="nothing_of_that_name"):
            await db.singly(lambda direct: direct.rows(_wrong, {}))
        async with asyncio.timeout(60):
            while db.engine.pool.checkedout():  # type: ignore[attr-defined]  # it is a QueuePool  # noqa: ASYNC110 - a pool has no event
                await asyncio.sleep(MOMENT)
        async with db.read() as session:
            (back,) = (await session.execute(settings(True))).all()
        assert tuple(back) == (first[0], "auto", "on")
    finally:
        await db.close()


@pytest.mark.connected("postgres")
async def test_what_is_planned_while_a_table_is_empty_reads_it_by_key(server: Database, sample: Any) -> None:
    def plan(_postgres: bool) -> Executable:
        wanted = "SELECT t.id, r.task_id FROM tasks t LEFT JOIN runs r ON r.id = t.id AND r.task_id = 'a'"
        return text(f"EXPLAIN {wanted} WHERE t.id = ANY('{{1,2,3,4,5,6,7,8}}')")

    async with server.transaction() as session:
        await session.execute(insert(sample.Task), [{"id": f"{n}", "name": "n"} for n in range(1000)])
    async with server.engine.connect() as connection:
        raw = (await connection.get_raw_connection()).driver_connection
        assert raw is not None
        await raw.execute("ANALYZE tasks")
        await raw.execute("VACUUM ANALYZE runs")  # the server knows now that nothing is in it
    steps = "\n".join(step for (step,) in await server.directly(lambda direct: direct.rows(plan, {})))
    assert "Index Cond: ((id)::text = (t.id)::text)" in steps
    assert not any(word in steps for word in ("Merge", "Hash", "Materialize", "Seq Scan"))


@pytest.mark.connected("postgres")
async def test_a_kept_connection_that_ended_is_not_used(postgres_schema: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xget_db.engine.kept.MOMENT", 600.0)
    db = Database(postgres_schema)
    try:
        ((pid,),) = await db.directly(lambda direct: direct.rows(_pid, {}))
        async with db.transaction() as session:
            await session.execute(select(func.pg_terminate_backend(pid)))
        ((_, _, driver),) = db._kept._idle
        async with asyncio.timeout(60):
            while not driver.is_closed():  # noqa: ASYNC110 - the driver has no event for it
                await asyncio.sleep(0.01)
        ((other,),) = await db.directly(lambda direct: direct.rows(_pid, {}))
        assert other != pid
    finally:
        await db.close()


def _pid(_postgres: bool) -> Executable:
    return select(func.pg_backend_pid())


def _one(_postgres: bool) -> Executable:
    return select(literal(1))


def _wrong(_postgres: bool) -> Executable:
    return text("SELECT * FROM nothing_of_that_name")
