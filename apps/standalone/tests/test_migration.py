"""A node's folder moved into real engines: everything, equal, and the folder as it was."""

import asyncio
import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest
from sqlalchemy import delete, insert, select, update

from xget_auth.models import User
from xget_db.engine import Database
from xget_events.opening import open_event_log
from xget_kernel.errors import StartupError
from xget_kernel.settings import ServiceSettings
from xget_scraper.models import OUTBOX
from xget_standalone.migration.report import Line, Report
from xget_standalone.migration.run import Options, migrate
from xget_storage.adapters.sqlite_documents import SqliteDocuments
from xget_storage.adapters.stores import Stores
from xget_storage.models import StoredItem
from xget_storage.ports import DocumentStore, ItemFilter, SearchQuery
from xget_storage.settings import Settings
from xget_testing.contracts.pages import START, make_item, make_page
from xget_testing.engines import url_of
from xget_testing.own_names import own_names
from xget_testing.single_home import SingleHome

ENGINES = ("postgres", "mongodb", "elasticsearch", "kafka")
pytestmark = [pytest.mark.slow, pytest.mark.connected(*ENGINES)]


@pytest.fixture
def env(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """Selects all engines, under names of this test's own."""
    with own_names({name: url_of(name) for name in ENGINES}) as selected:
        for name, value in selected.items():
            monkeypatch.setenv(name, value)
        yield selected


@pytest.fixture
async def source(tmp_path: Path) -> Path:
    await SingleHome(tmp_path / "source").write()
    return tmp_path / "source"


@pytest.fixture
async def moved(env: dict[str, str], source: Path, tmp_path: Path) -> Report:
    return await move(source, tmp_path / "target")


class Place(NamedTuple):
    """A folder that was moved once for all the tests that only look."""

    source: Path
    home: Path
    before: dict[str, str]
    report: Report
    again: Report


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("moved")
    source, home = folder / "source", folder / "target"
    with own_names({name: url_of(name) for name in ENGINES}) as selected, pytest.MonkeyPatch.context() as patch:
        for name, value in selected.items():
            patch.setenv(name, value)
        asyncio.run(SingleHome(source).write())
        before = content(source)
        report = asyncio.run(move(source, home))
        yield Place(source, home, before, report, asyncio.run(move(source, home)))


async def move(source: Path, home: Path, **options: bool) -> Report:
    return await migrate(Options(source=source, home=home, **options), lambda *_: None)


def lines(report: Report) -> dict[str, Line]:
    return {line.name: line for line in report.lines}


def content(folder: Path) -> dict[str, str]:
    """What a node's folder holds; locks and shared memory of SQLite hold nothing."""
    kept = [path for path in folder.iterdir() if path.name != "lock" and not path.name.endswith("-shm")]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in kept if path.stat().st_size}


def test_everything_moves_and_the_folder_stays_as_it_was(place: Place) -> None:
    report = place.report
    assert report.good, [line for line in report.lines if line.verified is not True]
    found = lines(report)
    assert all(line.moved == line.source for line in report.lines if line.name != "secrets")
    assert all(line.source_hash == line.target_hash for line in report.lines)
    assert min(found[name].source for name in ("auth.users", "scraper.outbox", "items", "audit", "raw pages")) >= 12
    assert found["secrets"].source > 40
    after = content(place.source)
    progress = [name for name in after if name.startswith("migration-")]
    assert len(progress) == 1
    assert {name: digest for name, digest in after.items() if name not in progress} == place.before


async def test_the_documents_answer_as_before(place: Place) -> None:
    old = SqliteDocuments(Path(shutil.copytree(place.source, place.home / "copy")) / "documents.db")
    try:
        async with Stores.opened(Settings(home=place.home)) as stores:
            await compare(old, stores.documents)
            found = await stores.search.search(SearchQuery(size=1))
    finally:
        await old.close()
    assert found.total == lines(place.report)["index"].source


async def compare(old: DocumentStore, new: DocumentStore) -> None:
    assert await old.scan(None, 10_000) == await new.scan(None, 10_000)
    for owner in ("owner-1", "owner-2", None):
        theirs = ItemFilter(owner=owner)
        assert (await old.find(theirs, 1000)).items == (await new.find(theirs, 1000)).items
        for n in range(2):
            wanted = ItemFilter(owner=owner, task_id=f"t-{owner}-{n}")
            before, after = await old.sighted(wanted, 1000), await new.sighted(wanted, 1000)
            assert (before.total, before.matched) == (after.total, after.matched)
            assert {(one.item.key, one.role, one.execution_id, one.seen_at) for one in before.items} == {
                (one.item.key, one.role, one.execution_id, one.seen_at) for one in after.items
            }
    for key in list(await old.scan(None, 40)):
        assert await old.audit(key, None) == await new.audit(key, None)


async def test_authors_who_were_taken_down_stay_away_and_are_looked_for_again(place: Place) -> None:
    assert lines(place.report)["takedowns"].source == 2
    async with Stores.opened(Settings(home=place.home)) as stores:
        assert await stores.documents.banned() == {"x:900"}
        assert await stores.documents.erased("x:900") == (2, 0)
        gone, lifted = await stores.documents.takedowns()
        assert (gone.state, gone.pending, lifted.state) == ("running", True, "lifted")
        theirs = make_item(5, key="x:new", author_key="x:900", author_id="900")
        (answer,) = await stores.documents.store_pages([make_page(1, [theirs], execution_id="e-new")], START)
        assert answer.keys == []


async def test_only_what_somebody_has_still_to_read_is_published(place: Place) -> None:
    found = lines(place.report)
    assert (found["xget.results"].source, found["xget.tasks"].source) == (240, 240)
    assert found["xget.pages"].source == 360, "one of its two groups has read nothing yet"
    assert found["xget.pages.dlq"].source == 360
    log = open_event_log(ServiceSettings(home=place.home))
    try:
        async with log.consumer("test", ["xget.tasks"]) as consumer, asyncio.timeout(180):
            seen: dict[str, list[int]] = {}
            while sum(map(len, seen.values())) < 240:
                for record in await consumer.poll():
                    seen.setdefault(record.key, []).append(int(record.headers["n"]))
    finally:
        await log.close()
    assert all(numbers == sorted(numbers) for numbers in seen.values())


async def test_new_rows_of_a_numbered_table_come_behind_those_that_moved(place: Place) -> None:
    database = Database(Settings(home=place.home).tables("scraper"))
    try:
        async with database.engine.connect() as session:
            last = (await session.execute(select(OUTBOX.c.id).order_by(OUTBOX.c.id.desc()).limit(1))).scalar_one()
            row = {"topic": "", "key": "", "value": b"", "headers": {}, "created_at": datetime.now(UTC)}
            made = await session.execute(insert(OUTBOX).values(**row).returning(OUTBOX.c.id))
            assert made.scalar_one() > last
            await session.rollback()
    finally:
        await database.close()


def test_a_second_run_finds_all_of_it_there(place: Place) -> None:
    assert place.again.good
    first, again = lines(place.report), lines(place.again)
    assert {n: line.target_hash for n, line in again.items()} == {n: line.target_hash for n, line in first.items()}


async def test_a_target_that_is_not_empty_is_refused_with_what_it_holds(place: Place, tmp_path: Path) -> None:
    await SingleHome(tmp_path / "other", seed=2).write()
    with pytest.raises(StartupError, match=r"not empty \(auth.audit 40, auth.data_keys 40.*more\).*--merge"):
        await move(tmp_path / "other", place.home)


def test_no_password_is_in_the_report(place: Place) -> None:
    password = os.environ["DATABASE_URL"].split(":")[2].partition("@")[0]
    assert len(password) > 4
    assert password not in repr(place.report)


async def test_two_folders_merge(moved: Report, source: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    await SingleHome(other, seed=2).write()
    ours, theirs = SqliteDocuments(source / "documents.db"), SqliteDocuments(other / "documents.db")
    try:
        report = await move(other, tmp_path / "target", merge=True)
        async with Stores.opened(Settings(home=tmp_path / "target")) as stores:
            mine, yours, merged = [await store.scan(None, 10_000) for store in (ours, theirs, stores.documents)]
            audits = [[await store.audit(key, None) for key in yours] for store in (theirs, stores.documents)]
    finally:
        await ours.close()
        await theirs.close()
    found = lines(report)
    assert found["items"].merged > 20
    assert found["auth.users"].moved == 40
    assert merged.keys() == mine.keys() | yours.keys()
    both = [
        key for key in mine.keys() & yours.keys() if not any(isinstance(s[key], int) for s in (mine, yours, merged))
    ]
    assert both
    for key in both:
        a, b, c = mine[key], yours[key], merged[key]
        assert isinstance(a, StoredItem)
        assert isinstance(b, StoredItem)
        assert isinstance(c, StoredItem)
        assert c.metrics.likes == max(a.metrics.likes or 0, b.metrics.likes or 0)
        assert c.text == (a if a.content_at > b.content_at else b).text
    assert all(set(map(repr, before)) <= set(map(repr, after)) for before, after in zip(*audits, strict=True)) or (
        found["audit"].problems
    )
    assert [line.name for line in report.lines if line.verified is False] in ([], ["audit"])


async def test_rows_that_differ_are_told_and_left_alone(moved: Report, source: Path, tmp_path: Path) -> None:
    users = Database(Settings(home=tmp_path / "target").tables("auth"))
    try:
        async with users.transaction() as session:
            first, second = (await session.execute(select(User.id).order_by(User.id).limit(2))).scalars()
            await session.execute(update(User).where(User.id == first).values(username="changed"))
            await session.execute(delete(User).where(User.id == second))
        report = await move(source, tmp_path / "target", merge=True)
        async with users.read() as session:
            assert (await session.execute(select(User.username).where(User.id == first))).scalar_one() == "changed"
    finally:
        await users.close()
    line = lines(report)["auth.users"]
    assert not report.good
    assert (line.verified, line.problems) == (False, 2)
    assert sorted(line.differing) == sorted(
        [json.dumps([first], ensure_ascii=False), json.dumps([second], ensure_ascii=False)]
    )
    assert line.source_hash != line.target_hash


async def test_a_dry_run_changes_nothing(env: dict[str, str], source: Path, tmp_path: Path) -> None:
    before = content(source)
    report = await move(source, tmp_path / "target", dry_run=True)
    assert lines(report)["auth.users"].source == 40
    assert all(line.verified is None and line.moved == 0 for line in report.lines)
    assert content(source) == before
    assert not (tmp_path / "target").exists()
    assert (await move(source, tmp_path / "target", dry_run=True)).contents == {}


async def test_what_stays_embedded_is_copied_as_it_is(
    env: dict[str, str], source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("MONGODB_URL", "ELASTICSEARCH_URL", "KAFKA_BOOTSTRAP_SERVERS"):
        monkeypatch.delenv(name)
    target = tmp_path / "target"
    report = await move(source, target)
    assert report.good, [line for line in report.lines if not line.verified]
    assert {"documents.db", "raw_pages.db", "events.db"} <= lines(report).keys()
    with (
        closing(sqlite3.connect(source / "events.db")) as ours,
        closing(sqlite3.connect(target / "events.db")) as theirs,
    ):
        query = "SELECT group_name, partition_id, committed FROM claims ORDER BY 1, 2"
        assert ours.execute(query).fetchall() == theirs.execute(query).fetchall()
    assert (await move(source, target)).good, "again is fine"


async def test_in_the_same_home_only_what_has_a_real_engine_moves(
    env: dict[str, str], source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("MONGODB_URL", "ELASTICSEARCH_URL", "KAFKA_BOOTSTRAP_SERVERS"):
        monkeypatch.delenv(name)
    report = await move(source, source)
    assert report.good
    assert {line.concern for line in report.lines} == {"keys", "tables"}
    assert report.notes == [
        "Documents stay where they are.",
        "Events stay where they are.",
        "Search stays where it is.",
    ]
