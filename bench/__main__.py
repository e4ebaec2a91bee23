"""`make bench`: every measure, one table. Ends with 0 even when a target is missed, with 1 when a measure crashed."""

from __future__ import annotations

import os
import sys
import time
import traceback
from collections.abc import Callable
from typing import Final

from bench import command, documents, events, growth, handoff, leases, line, parse, search, starts
from bench.table import Row, table

MEASURES: Final[dict[str, Callable[[], list[Row]]]] = {
    "xget --help": command.measure,
    "parse": parse.measure,
    "raw page → stored, searchable": line.measure,
    "documents": documents.measure,
    "events": events.measure,
    "search": search.measure,
    "POST /tasks → started": starts.measure,
    "hand-off beside arq": handoff.measure,
    "leases": leases.measure,
    "growth and memory": growth.measure,
}


def main() -> int:
    """Measure, print, judge."""
    began = time.monotonic()
    rows: list[Row] = []
    crashed = False
    for name, measure in MEASURES.items():
        print(f"{name} …", file=sys.stderr, flush=True)
        try:
            rows += measure()
        except Exception:  # noqa: BLE001 - the other measures still have something to say
            traceback.print_exc()
            rows.append(Row(name=name, ours="crashed", ok=False))
            crashed = True
    print(table(rows))
    missed = sum(row.ok is False for row in rows)
    verdict = f"{missed} missed" if missed else "all targets met"
    load = ", ".join(f"{load:.1f}" for load in os.getloadavg())
    print(f"{len(rows)} figures in {time.monotonic() - began:.0f} s: {verdict}")
    print(f"{os.cpu_count()} cores, load over the last 1, 5, 15 minutes: {load}")
    return 1 if crashed else 0


if __name__ == "__main__":
    sys.exit(main())
