"""`make bench`: every measure, one table. Ends with 0 even when a target is missed, with 1 when a measure crashed.

Names on the command line choose measures; `--write` keeps the table, with the machine's facts, in bench/RESULTS.md.
What stands there from "At size" on was measured apart, and stays.
"""

from __future__ import annotations

import os
import platform
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Final

from bench import (
    collecting,
    command,
    documents,
    events,
    growth,
    handoff,
    leases,
    lending,
    line,
    logins,
    parse,
    pool_simulation,
    proxies,
    rooms,
    search,
    starts,
)
from bench.table import Row, table

RESULTS: Final = Path(__file__).resolve().parent / "RESULTS.md"
KEPT: Final = "\n## At size\n"
MEASURES: Final[dict[str, Callable[[], list[Row]]]] = {
    "xget --help": command.measure,
    "parse": parse.measure,
    "collecting": collecting.measure,
    "raw page → stored, searchable": line.measure,
    "documents": documents.measure,
    "events": events.measure,
    "search": search.measure,
    "POST /tasks → started": starts.measure,
    "hand-off beside arq": handoff.measure,
    "leases": leases.measure,
    "room → request": rooms.measure,
    "hours of a pool": pool_simulation.measure,
    "proxy checks": proxies.measure,
    "proxy leases": lending.measure,
    "browser login": logins.measure,
    "growth and memory": growth.measure,
}


def main(words: Sequence[str]) -> int:
    """Measure, print, judge."""
    wanted = [name for name in words if not name.startswith("--")]
    unknown = [name for name in wanted if name not in MEASURES]
    if unknown:
        print(f"bench: no measure is called {', '.join(unknown)}; there are {', '.join(MEASURES)}.", file=sys.stderr)
        return 2
    if refused := _refused([name for name in words if name.startswith("--")], wanted):
        print(f"bench: {refused}", file=sys.stderr)
        return 2
    began = time.monotonic()
    rows: list[Row] = []
    crashed = False
    for name, measure in MEASURES.items():
        if wanted and name not in wanted:
            continue
        print(f"{name} …", file=sys.stderr, flush=True)
        try:
            rows += measure()
        except Exception:  # noqa: BLE001 - the other measures still have something to say
            traceback.print_exc()
            rows.append(Row(name=name, ours="crashed", ok=False))
            crashed = True
    told = f"{table(rows)}\n{_verdict(rows, time.monotonic() - began)}"
    print(told)
    if "--write" in words:
        _, heading, kept = RESULTS.read_text("utf-8").partition(KEPT)
        RESULTS.write_text(_document(told) + heading + kept, "utf-8")
    return 1 if crashed else 0


def _refused(options: Sequence[str], wanted: Sequence[str]) -> str | None:
    """Why the command line is wrong, if it is."""
    unknown = [option for option in options if option != "--write"]
    if unknown:
        return f"there is no option {', '.join(unknown)}; the only one is --write."
    if options and wanted:
        return "--write keeps the table of all measures: name none."
    return None


def _verdict(rows: Sequence[Row], seconds: float) -> str:
    missed = sum(row.ok is False for row in rows)
    verdict = f"{missed} missed" if missed else "all targets met"
    load = ", ".join(f"{load:.1f}" for load in os.getloadavg())
    return (
        f"{len(rows)} figures in {seconds:.0f} s: {verdict}\n"
        f"{os.cpu_count()} cores, load over the last 1, 5, 15 minutes: {load}"
    )


def _document(told: str) -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    machine = f"{os.cpu_count()} cores ({platform.machine()}), {memory:.0f} GiB, {platform.system()}"
    return (
        "# Figures\n\nWritten by `make bench ARGS=--write`; [README.md](README.md) says what each row compares.\n\n"
        f"{date.today().isoformat()}, {machine}, Python {platform.python_version()}. "
        "Engines, all on this machine: PostgreSQL 18, Valkey 9.1,\nElasticsearch 9.5, Kafka 4.1, and SecantusDB in "
        "place of MongoDB.\n\n"
        f"```\n{told}\n```\n"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
