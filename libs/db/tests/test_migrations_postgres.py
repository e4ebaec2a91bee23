"""Migrations of a schema on PostgreSQL, and sentences for a server that cannot be used."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit, urlunsplit

import pytest

from xget_db.migrations import downgrade, state, upgrade
from xget_db.migrations.postgres import check_version
from xget_db.postgres.address import parse
from xget_kernel.errors import StartupError
from xget_kernel.ids import new_id
from xget_testing.database import query, run_sql, table_names

WRONG = "secret-word"
pytestmark = pytest.mark.connected("postgres")


def changed(url: str, *, user="xget", password=WRONG, host=None, path=None) -> str:
    parts = urlsplit(url)
    place = host or f"{parts.hostname}:{parts.port}"
    return urlunsplit((parts.scheme, f"{user}:{password}@{place}", path or parts.path, parts.query, ""))


def refused(url: str, package, match: str) -> str:
    with pytest.raises(StartupError, match=match) as caught:
        upgrade(url, package.name)
    text = str(caught.value)
    assert "POSTGRES_SERVER" in text
    assert "DATABASE_URL" in text
    password = urlsplit(url).password
    assert password is None or password not in text
    return text


def test_an_empty_server_gets_the_schema_and_all_tables(postgres_schema, package):
    assert state(postgres_schema, package.name) == (None, "0001")
    upgrade(postgres_schema, package.name)
    assert {"tasks", "runs", "outbox", f"{package.name}_version"} == table_names(postgres_schema)
    assert state(postgres_schema, package.name) == ("0001", "0001")


def test_an_older_schema_is_brought_up_and_down_again(postgres_schema, package):
    upgrade(postgres_schema, package.name)
    query(postgres_schema, "INSERT INTO tasks VALUES ('t')")
    package.add("0002", "0001", "op.add_column('tasks', sa.Column('n', sa.Integer))", "op.drop_column('tasks', 'n')")
    upgrade(postgres_schema, package.name)
    assert query(postgres_schema, "SELECT id, n FROM tasks") == [("t", None)]
    downgrade(postgres_schema, package.name, "0001")
    assert query(postgres_schema, "SELECT * FROM tasks") == [("t",)]
    downgrade(postgres_schema, package.name)
    assert table_names(postgres_schema) == {f"{package.name}_version"}


def test_a_newer_database_is_refused_with_the_version_and_the_fix(postgres_schema, package):
    package.add("0002", "0001", "pass")
    upgrade(postgres_schema, package.name)
    package.forget("0002")
    with pytest.raises(StartupError, match=r"version 0002 .* newer than this XGet \(it knows up to 0001\)") as caught:
        upgrade(postgres_schema, package.name)
    assert str(urlsplit(postgres_schema).password) not in str(caught.value)


def test_a_failing_migration_changes_nothing(postgres_schema, package):
    upgrade(postgres_schema, package.name)
    package.add("0002", "0001", "op.create_table('extra', sa.Column('id', sa.Integer)); op.execute('nonsense')")
    refused(postgres_schema, package, "nothing was changed")
    assert "extra" not in table_names(postgres_schema)
    assert state(postgres_schema, package.name) == ("0001", "0002")


def test_services_that_start_together_take_turns(postgres_schema, package):
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: upgrade(postgres_schema, package.name), range(6)))
    assert state(postgres_schema, package.name)[0] == "0001"


@pytest.mark.slow
def test_processes_that_start_together_take_turns(postgres_schema, package):
    code = f"from xget_db.migrations import upgrade; upgrade({postgres_schema!r}, {package.name!r})"
    started = [
        subprocess.Popen([sys.executable, "-c", code], cwd=package.folder.parent, stderr=subprocess.PIPE)
        for _ in range(4)
    ]
    for process in started:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors.decode()


def test_a_wrong_password_is_named(postgres_schema, package):
    refused(changed(postgres_schema), package, "refuses the user or the password")


def test_a_missing_database_is_named(postgres_schema, package):
    password = urlsplit(postgres_schema).password
    refused(changed(postgres_schema, password=password, path="/nowhere"), package, "does not exist")


def test_a_host_that_does_not_answer_is_named(postgres_schema, package, monkeypatch):
    monkeypatch.setattr("xget_db.migrations.postgres.PATIENCE_SECONDS", 0.5)
    said = refused(changed(postgres_schema, host="127.0.0.1:9"), package, "does not answer")
    assert "127.0.0.1:9" in said
    refused(changed(postgres_schema, host="no.such.host.invalid"), package, "does not answer")


def test_a_user_without_the_right_to_make_a_schema_is_told(postgres_schema, package):
    user = f"u_{new_id().replace('-', '')}"
    run_sql(postgres_schema, f"CREATE ROLE {user} LOGIN PASSWORD '{WRONG}'")
    try:
        refused(changed(postgres_schema, user=user), package, "grant CREATE")
    finally:
        run_sql(postgres_schema, f"DROP ROLE {user}")


def test_an_old_server_is_refused():
    address = parse("postgresql://u:hunter2@db.example:5432/xget?search_path=auth")
    check_version(140_000, address)
    with pytest.raises(StartupError, match=r"version 13.* needs 14 or newer.*POSTGRES_SERVER") as caught:
        check_version(130_012, address)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["postgresql://", "postgresql://host", "postgresql://h:x/db", "postgresql://h/db?pool_size=0"]
)
def test_an_address_that_is_none_is_refused_with_the_fix(url):
    with pytest.raises(StartupError, match="POSTGRES_SERVER"):
        upgrade(url, "xget_db")
