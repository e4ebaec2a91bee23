"""`xget quarantine` against the real service: replays go on until nothing is left, and tell how far they are."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from xget_cli.commands import quarantine
from xget_cli.errors import CliError
from xget_cli.options import Common
from xget_db.engine import Database
from xget_db.migrations import upgrade
from xget_kernel.clock import SystemClock
from xget_processing.app import create_app
from xget_processing.deps import opened_store
from xget_processing.service.language import LanguageRules
from xget_processing.service.parsing import PageParser
from xget_processing.service.quarantine import QuarantineService
from xget_processing.settings import Settings
from xget_testing.apps import serving_in_thread
from xget_testing.parsing import ToySource, make_raw

PAGES = 5


def keep(settings: Settings, source: ToySource) -> None:
    """Five pages with a record each that the parser cannot read."""
    upgrade(settings.tables_url, "xget_processing")

    async def record() -> None:
        database = Database(settings.tables_url)
        parser = PageParser({"toy": source}, LanguageRules(lambda _: None))
        service = QuarantineService(opened_store(settings, database, SystemClock()), parser, SystemClock())
        await service.record([parser.parse(make_raw(n, ["a", "new-shape"])) for n in range(1, PAGES + 1)])
        await database.close()

    asyncio.run(record())


@pytest.fixture
def source() -> ToySource:
    return ToySource()


@pytest.fixture
def common(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: ToySource) -> Iterator[Common]:
    """Where the service answers, which replays two pages a call."""
    monkeypatch.setenv("XGET_CONFIG_DIR", str(tmp_path))
    monkeypatch.setattr("xget_processing.service.quarantine.MOST_PAGES", 2)
    settings = Settings(home=tmp_path, open_mode=True)
    keep(settings, source)
    with serving_in_thread(create_app(settings, sources={"toy": source})) as url:
        yield Common(url=url)


def test_a_replay_goes_on_until_nothing_is_left_and_tells_how_far_it_is(
    common: Common, source: ToySource, capsys: pytest.CaptureFixture[str]
) -> None:
    quarantine.replay(common=common)
    progress = ["2 of 5 pages", "4 of 5 pages"]
    assert capsys.readouterr().out.splitlines() == [
        *progress, "5 pages parsed again: 0 records read, 5 still open."
    ]  # fmt: skip
    source.unknown = ""
    quarantine.replay(which=quarantine.Which(platform="toy"), common=common)
    assert capsys.readouterr().out.splitlines() == [
        *progress, "5 pages parsed again: 5 records read, 0 still open."
    ]  # fmt: skip
    quarantine.replay(common=common)
    assert capsys.readouterr().out == "No open record fits.\n"


def test_a_replay_of_named_records_tells_json_at_its_end_alone(
    common: Common, source: ToySource, capsys: pytest.CaptureFixture[str]
) -> None:
    quarantine.list_(common=Common(url=common.url, json=True))
    ids = [record["id"] for record in json.loads(capsys.readouterr().out)["items"]][:3]
    source.unknown = ""
    quarantine.replay(*ids, common=Common(url=common.url, json=True))
    assert json.loads(capsys.readouterr().out) == {"pages": 3, "replayed": 3, "still_open": 0}
    with pytest.raises(CliError, match="not both"):
        quarantine.replay(*ids, which=quarantine.Which(platform="toy"), common=common)
