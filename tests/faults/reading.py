"""The workers of processing and storage in one process that can be killed, with a parser that is told what it can read.

Usage: reading.py HOME COMMANDS…; each command ends when its work is done:
  work VERSION UNKNOWN   run both workers; the parser cannot read texts with the word UNKNOWN ("-" = it reads all)
  replay VERSION         replay all of quarantine with a parser that reads all
`XGET_TRIAL=commit:<n>` kills the process while the n-th COMMIT of any file is under way.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from launcher import Countdown, plant_commit

from xget_contracts.events import PAGES, RESULTS
from xget_events.sqlite import SqliteEventLog
from xget_events.topics import load_topics
from xget_processing.app import create_app
from xget_processing.models import THAWING, RecordFilter
from xget_processing.settings import Settings as ProcessingSettings
from xget_processing.worker import create_worker as processing_worker
from xget_sources.ports import PageToParse, Parsed
from xget_storage.settings import Settings as StorageSettings
from xget_storage.worker import create_worker as storage_worker
from xget_testing.parsing import ToySource


class Parser(ToySource):
    """Says which items answer the task, as parsers do."""

    def parse(self, page: PageToParse) -> Parsed:
        found = super().parse(page)
        for item in found.items:
            item.role = "match" if item.key in page.match_keys else "context"
        return found


def parser(version: str, unknown: str) -> ToySource:
    """The toy parser as it is in this release."""
    source = Parser()
    source.parser_version = version
    source.unknown = "" if unknown == "-" else unknown
    return source


async def main(home: Path, version: str, unknown: str, *, replay: bool) -> None:
    settings = ProcessingSettings(home=home, member="p", processing_thaw_seconds=0.05, processing_batch_pages=4)
    sources = {"toy": parser(version, unknown)}
    log = SqliteEventLog(home / "events.db")
    await log.create_topics(load_topics())
    stop = asyncio.Event()
    app = create_app(settings, sources=sources)
    async with asyncio.TaskGroup() as group, app.router.lifespan_context(app):
        group.create_task(processing_worker(settings, log=log, sources=sources).run(stop))
        group.create_task(storage_worker(StorageSettings(home=home, grpc_port=0, member="s"), log=log).run(stop))
        built = app.state.processing
        if replay:
            while (await built.quarantine.replay(RecordFilter())).remaining:
                pass
        await resting(log, app)
        stop.set()
    await log.close()


async def resting(log: SqliteEventLog, app: object) -> None:
    """Wait until nobody has anything to do."""
    freezing = app.state.processing.freezing  # type: ignore[attr-defined]  # a FastAPI app
    calm = 0
    while calm < 5:
        await asyncio.sleep(0.1)
        lags = [(await log.lag("processing")).get(PAGES), (await log.lag("storage")).get(RESULTS)]
        busy = any(lags) or any(state.state == THAWING for state, _ in await freezing.states())
        calm = 0 if busy else calm + 1


if __name__ == "__main__":
    name, number, *_ = [*os.environ.get("XGET_TRIAL", "").split(":"), "0"]
    if name == "commit":
        plant_commit(Countdown(int(number)))
    folder, command, version, *more = sys.argv[1:]
    asyncio.run(main(Path(folder), version, more[0] if more else "-", replay=command == "replay"))
