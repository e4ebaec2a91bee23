"""Parsing X's pages: ours against twscrape's `parse_tweets`, on the same recordings in the same run.

`python -m bench.parse` prints a table; both sides start from the body as received and end with objects.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

os.environ["TWS_TELEMETRY"] = "0"

from twscrape.logger import logger as twscrape_logger
from twscrape.models import parse_tweets

from xget_sources.ports import PageToParse
from xget_sources.x.parser import parse_page

TARGET = 1.0
ROUNDS = 40
REPOSITORY = Path(__file__).resolve().parents[1]
RECORDINGS = Path(os.environ.get("XGET_RECORDINGS", REPOSITORY.parent / "shared" / "recordings")) / "x"


@dataclass(frozen=True, slots=True)
class Row:
    """One page: milliseconds of both sides (the best of many rounds, taken in turn) and what came out."""

    page: str
    ours_ms: float
    theirs_ms: float
    our_records: int
    their_posts: int

    @property
    def ratio(self) -> float:
        """How many times faster ours is."""
        return self.theirs_ms / self.ours_ms


def measure(rounds: int = ROUNDS) -> list[Row]:
    """A row per recorded page, and one for all of them together at the end; empty without recordings."""
    twscrape_logger.disable("twscrape")
    rows = [_row(path, rounds) for path in sorted(RECORDINGS.glob("*.json")) if path.name != "manifest.json"]
    if not rows:
        return []
    total = Row(
        "all pages",
        sum(row.ours_ms for row in rows),
        sum(row.theirs_ms for row in rows),
        sum(row.our_records for row in rows),
        sum(row.their_posts for row in rows),
    )
    return [*rows, total]


def _row(path: Path, rounds: int) -> Row:
    body = path.read_bytes()
    page = PageToParse(
        task_type="KEYWORD_SEARCH", operation=path.stem, body=body, match_keys=frozenset(), fetched_at=datetime.now(UTC)
    )
    ours, theirs = float("inf"), float("inf")
    for _ in range(rounds):
        ours = min(ours, _seconds(lambda: parse_page(page)))
        theirs = min(theirs, _seconds(lambda: list(parse_tweets(json.loads(body)))))
    parsed = parse_page(page)
    records = len(parsed.items) + len(parsed.authors)
    return Row(path.stem, ours * 1000, theirs * 1000, records, len(list(parse_tweets(json.loads(body)))))


def _seconds(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def main() -> int:
    """Print the table; 1 when ours is slower over all pages, 2 without recordings."""
    rows = measure()
    if not rows:
        sys.stderr.write("There are no recordings: set XGET_RECORDINGS to the folder that holds x/*.json.\n")
        return 2
    print(f"{'page':<22}{'ours ms':>9}{'twscrape ms':>13}{'ratio':>8}{'records':>9}{'its posts':>11}")
    for row in rows:
        print(
            f"{row.page:<22}{row.ours_ms:>9.2f}{row.theirs_ms:>13.2f}{row.ratio:>7.2f}x"
            f"{row.our_records:>9}{row.their_posts:>11}"
        )
    print(f"target: at least {TARGET:.1f}x over all pages")
    return 0 if rows[-1].ratio >= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
