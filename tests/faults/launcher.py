"""Runs `xget` with one moment of death planted from outside: `XGET_TRIAL=<point>:<n>` kills at its n-th time.

The points wrap adapters, never the product's own logic:
  pages    after the n-th raw page is durable in the log, before the worker can checkpoint it
  later    as `pages`, but `<ms>` milliseconds after it (`later:<n>:<ms>`): whatever is then in hand
  results  after the n-th batch is parsed, before what it holds is published
  stored   after the n-th batch is committed to the store, before that is announced
  commit   while the n-th COMMIT of any of our SQLite files is under way
"""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
import threading
from collections.abc import Sequence
from typing import Any

from xget_cli.main import main
from xget_events.sqlite import SqliteEventLog

BEFORE = {"results": "xget.results", "stored": "xget.stored"}


class Countdown:
    """Calls `die` at the n-th `tick`."""

    def __init__(self, n: int) -> None:
        self._left = n
        self._lock = threading.Lock()

    def tick(self, delay: float = 0.0) -> None:
        """One more time; the last one is the end of the process, now or in `delay` seconds."""
        with self._lock:
            self._left -= 1
            if self._left == 0:
                threading.Timer(delay, die).start() if delay else die()


def die() -> None:
    """SIGKILL to ourselves."""
    os.kill(os.getpid(), signal.SIGKILL)


def plant_publish(point: str, countdown: Countdown, delay: float) -> None:
    """Die around a publish to the topic that `point` names."""
    publish = SqliteEventLog.publish

    async def publishing(self: SqliteEventLog, messages: Sequence[Any]) -> None:
        topics = {message.topic for message in messages}
        if BEFORE.get(point) in topics:
            countdown.tick()
        await publish(self, messages)
        if point in {"pages", "later"} and "xget.pages" in topics:
            countdown.tick(delay)

    SqliteEventLog.publish = publishing  # type: ignore[method-assign]  # the trial's whole point


def plant_commit(countdown: Countdown) -> None:
    """Die a moment after a COMMIT has begun, on whichever file it is."""
    connect = sqlite3.connect

    def connecting(*args: Any, **options: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*args, **options)

        def seen(statement: str) -> None:
            if statement.lstrip().upper().startswith("COMMIT"):
                countdown.tick(delay=0.0005)

        connection.set_trace_callback(seen)
        return connection

    sqlite3.connect = connecting  # type: ignore[assignment]  # the trial's whole point
    sqlite3.dbapi2.connect = connecting  # type: ignore[assignment]  # SQLAlchemy's way to it


if __name__ == "__main__":
    name, number, milliseconds, *_ = [*os.environ.get("XGET_TRIAL", "").split(":"), "0", "0"]
    if name == "commit":
        plant_commit(Countdown(int(number)))
    elif name:
        plant_publish(name, Countdown(int(number)), int(milliseconds) / 1000)
    sys.exit(main())
