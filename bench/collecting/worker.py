"""`python -m bench.collecting.worker HOME POSTS`: a worker on the tables of HOME; what it takes, on standard output.

A line for every fiftieth of the posts: how many were listed, and MB that are resident. Ends with SIGTERM.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import msgspec

from bench.collecting.platforms import BODIES, PER_PAGE, Endless
from bench.collecting.scraper import settings_of
from xget_events.sqlite import SqliteEventLog
from xget_kernel import collector
from xget_scraper.worker import create_worker
from xget_telemetry import logs
from xget_testing.collecting import FakeSessions

READINGS = 50


def resident_mb() -> float:
    """Of this process."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


async def work(home: Path, posts: int) -> None:
    """Work until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    every = max(PER_PAGE, posts // READINGS // PER_PAGE * PER_PAGE)

    def listed(before: int) -> None:
        if before % every == 0:
            print(before, f"{resident_mb():.1f}", flush=True)

    source = Endless(posts, msgspec.msgpack.decode((home / BODIES).read_bytes(), type=list[bytes]), listed)
    log = SqliteEventLog(home / "events.db")
    try:
        await create_worker(settings_of(home), log=log, sources={"x": source}, sessions=FakeSessions()).run(stop)
    finally:
        await log.close()


if __name__ == "__main__":
    logs.configure("bench", level="warning")
    collector.calm()
    asyncio.run(work(Path(sys.argv[1]), int(sys.argv[2])))
