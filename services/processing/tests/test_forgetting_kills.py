"""A process dies while it takes an author out of quarantine: who comes next ends in the same, whenever that was."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import msgspec
import pytest
import zstandard

from xget_contracts.events import AuthorForgotten, PageCollected
from xget_db.engine import Database
from xget_kernel.clock import ManualClock
from xget_processing.deps import opened_store
from xget_processing.models import Base, RecordFilter
from xget_processing.repository import Store, Unit
from xget_processing.service.forgetting import ForgettingService
from xget_processing.service.language import LanguageRules
from xget_processing.service.parsing import PageParser
from xget_processing.service.quarantine import QuarantineService
from xget_processing.settings import Settings
from xget_testing.contracts.pages import START
from xget_testing.database import everything_in, query
from xget_testing.parsing import ToyRecords, ToySource, make_raw

EVENT = AuthorForgotten(author_key="toy:7", platform="toy", author_id="7", at=START)
MIXED = ["7 new-shape secret", "8 new-shape fine", "7 secret", "8 fine"]


class Died(BaseException):
    """The process is gone: nothing that comes after it is done."""


class Dying(Store):
    """Tables whose process dies just before its n-th commit, or just after it."""

    moment = 0
    commits = 0
    after = False

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Unit]:
        async with super().transaction() as unit:
            yield unit
            self.commits += 1
            if self.commits == self.moment and not self.after:
                raise Died
        if self.commits == self.moment:
            raise Died


async def prepare(database: Database, settings: Settings) -> None:
    """Records and pages in quarantine, and pages that wait; the author's and others'."""
    store = opened_store(settings, database, ManualClock(START))
    parser = PageParser({"toy": ToySource()}, LanguageRules(lambda _: None))
    pages = [make_raw(n, MIXED, execution_id=run) for run in ("e1", "e2") for n in range(1, 4)]
    await QuarantineService(store, parser, ManualClock(START)).record([parser.parse(page) for page in pages])
    async with store.transaction() as unit:
        await unit.parsers.put_aside([(make_raw(n, MIXED, execution_id="e3"), None) for n in range(1, 4)], START)


async def left(settings: Settings) -> Any:
    """All that the tables keep: payloads unpacked, without numbers that differ from run to run."""
    found = await asyncio.to_thread(everything_in, settings.tables_url)
    records = sorted((row[1], row[2], row[4], _texts(row)) for row in found["quarantine"])
    pages = [sorted(_texts(row) for row in found[table]) for table in ("quarantine_pages", "frozen_pages")]
    return records, pages, found["forgotten_authors"]


def _texts(row: Any) -> str:
    (value,) = (value for value in row if isinstance(value, bytes))
    try:
        return zstandard.decompress(value).decode()
    except zstandard.ZstdError:
        return zstandard.decompress(msgspec.msgpack.decode(value, type=PageCollected).body_zstd).decode()


async def forget(database: Database, settings: Settings, moment: int, *, after: bool) -> int:
    """Take the author out, with a process that dies at a commit; how many commits there were."""
    tables = Dying(database, settings.kafka_topic_results, ManualClock(START))
    tables.moment, tables.after = moment, after
    with suppress(Died):
        await ForgettingService(tables, {"toy": ToyRecords()}).take(EVENT)
    return tables.commits


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    opened = Database(settings.tables_url)
    yield opened
    await opened.close()


async def test_killed_at_any_commit_of_a_cleaning_the_next_one_ends_in_the_same(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xget_processing.service.forgetting._PIECE", 2)
    await prepare(database, settings)
    moment, died = 0, True
    whole: Any = None
    while died:
        moment += 1
        await emptied(database)
        await prepare(database, settings)
        died = await forget(database, settings, moment, after=moment % 2 == 0) == moment
        assert await forget(database, settings, 0, after=False) > 0
        found = await left(settings)
        whole = whole or found
        assert found == whole, f"after the kill at commit {moment}"
    assert moment > 8
    assert "secret" not in str(whole)
    assert str(whole).count("8 fine") == 9


async def test_what_was_half_forgotten_is_not_replayed(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xget_processing.service.forgetting._PIECE", 2)
    await prepare(database, settings)
    await forget(database, settings, 4, after=True)
    await forget(database, settings, 0, after=False)
    source = ToySource()
    source.unknown = ""
    tables = opened_store(settings, database, ManualClock(START))
    parser = PageParser({"toy": source}, LanguageRules(lambda _: None))
    report = await QuarantineService(tables, parser, ManualClock(START)).replay(RecordFilter())
    assert (report.pages, report.replayed, report.still_open) == (6, 6, 0)
    sent = str(await asyncio.to_thread(query, settings.tables_url, "SELECT * FROM outbox"))
    assert sent.count("8 new-shape fine") >= 6
    assert "secret" not in sent


async def emptied(database: Database) -> None:
    """As before anything was kept."""
    async with database.transaction() as session:
        for table in Base.metadata.sorted_tables:
            await session.execute(table.delete())
