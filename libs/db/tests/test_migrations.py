import logging
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from sqlalchemy import func, select

from xget_db.migrations import head, upgrade
from xget_kernel.errors import StartupError
from xget_testing.database import assert_tables_match, created, migrated, sqlite_url


def rows(path, sql):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchall()


def version(path, package):
    ((revision,),) = rows(path, f"SELECT version_num FROM {package.name}_version")  # noqa: S608 - the name is ours
    return revision


def run(path, *statements) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def test_an_empty_home_gets_all_tables(path, package):
    upgrade(sqlite_url(path.parent / "deep" / "a.db"), package.name)
    names = {name for (name,) in rows(path.parent / "deep" / "a.db", "SELECT name FROM sqlite_master")}
    assert {"tasks", "runs", "outbox", f"{package.name}_version"} <= names
    assert rows(path.parent / "deep" / "a.db", "PRAGMA journal_mode") == [("wal",)]


def test_a_database_of_an_older_version_is_brought_up_and_keeps_its_rows(path, package):
    upgrade(sqlite_url(path), package.name)
    run(path, "INSERT INTO tasks VALUES ('t')", "INSERT INTO runs VALUES ('r', 't')")
    package.add(
        "0002",
        "0001",
        "with op.batch_alter_table('tasks', recreate='always') as t: t.add_column(sa.Column('n', sa.Integer))",
    )
    assert head(package.name) == "0002"
    upgrade(sqlite_url(path), package.name)
    assert rows(path, "SELECT id, n FROM tasks") == [("t", None)]
    assert rows(path, "SELECT id FROM runs") == [("r",)], "a table made anew must not cascade into its children"


def test_a_newer_database_is_refused_with_the_version_and_the_fix(path, package):
    package.add("0002", "0001", "pass")
    upgrade(sqlite_url(path), package.name)
    package.forget("0002")
    with pytest.raises(StartupError, match=r"version 0002 .* newer than this XGet \(it knows up to 0001\): install"):
        upgrade(sqlite_url(path), package.name)
    assert version(path, package) == "0002"


def test_a_failing_migration_changes_nothing(path, package):
    upgrade(sqlite_url(path), package.name)
    package.add("0002", "0001", "op.create_table('extra', sa.Column('id', sa.Integer)); op.execute('nonsense')")
    with pytest.raises(StartupError, match="nothing was changed"):
        upgrade(sqlite_url(path), package.name)
    assert rows(path, "SELECT name FROM sqlite_master WHERE name = 'extra'") == []
    assert version(path, package) == "0001"


def test_a_migration_that_would_break_references_changes_nothing(path, package):
    upgrade(sqlite_url(path), package.name)
    run(path, "INSERT INTO tasks VALUES ('t')", "INSERT INTO runs VALUES ('r', 't')")
    package.add("0002", "0001", "op.execute('DELETE FROM tasks')")
    with pytest.raises(StartupError, match="rows of table runs that refer to missing rows of tasks"):
        upgrade(sqlite_url(path), package.name)
    assert rows(path, "SELECT id FROM tasks") == [("t",)]


def test_services_that_start_together_take_turns(path, package):
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: upgrade(sqlite_url(path), package.name), range(8)))
    assert version(path, package) == "0001"


@pytest.mark.slow
def test_processes_that_start_together_take_turns(path, package):
    code = f"from xget_db.migrations import upgrade; upgrade({sqlite_url(path)!r}, {package.name!r})"
    started = [
        subprocess.Popen([sys.executable, "-c", code], cwd=package.folder.parent, stderr=subprocess.PIPE)
        for _ in range(4)
    ]
    for process in started:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors.decode()
    assert version(path, package) == "0001"


def test_logging_of_the_process_is_left_alone(path, package, capsys):
    root = logging.getLogger()
    before = root.handlers[:], root.level, logging.getLogger("alembic").level
    upgrade(sqlite_url(path), package.name)
    assert (root.handlers, root.level, logging.getLogger("alembic").level) == before
    assert capsys.readouterr() == ("", "")


def test_a_start_with_nothing_to_migrate_is_quick(path, package):
    upgrade(sqlite_url(path), package.name)
    took = []
    for _ in range(20):  # whatever else this machine does meanwhile
        began = time.perf_counter()
        upgrade(sqlite_url(path), package.name)
        took.append(time.perf_counter() - began)
    assert min(took) < 0.15


def test_a_file_that_is_no_database_is_refused_and_kept(path, package):
    path.write_bytes(b"not a database" * 100)
    with pytest.raises(StartupError, match="put back a backup"):
        upgrade(sqlite_url(path), package.name)
    assert path.read_bytes() == b"not a database" * 100


def test_a_home_that_cannot_be_made_is_refused(path, package):
    path.write_text("a file")
    with pytest.raises(StartupError, match="XGET_HOME"):
        upgrade(sqlite_url(path / "home" / "a.db"), package.name)


def test_a_package_that_is_not_installed_is_named():
    with pytest.raises(StartupError, match="xget_nowhere is not installed"):
        head("xget_nowhere")


def test_models_without_a_migration_are_noticed(package, tmp_path):
    models = __import__(f"{package.name}.models").models
    assert_tables_match(package.name, models.Base.metadata, tmp_path)
    package.add("0002", "0001", "op.create_table('extra', sa.Column('id', sa.Integer, primary_key=True))")
    with pytest.raises(AssertionError, match="extra"):
        assert_tables_match(package.name, models.Base.metadata, tmp_path)


async def test_a_migrated_database_is_ready_to_use(package, path, sample):
    async with migrated(package.name, path) as database, database.transaction() as session:
        assert await session.scalar(select(func.count()).select_from(sample.outbox)) == 0
    async with created(sample.metadata, path.parent / "b.db") as database, database.read() as session:
        assert await session.get(sample.Task, "a") is None
