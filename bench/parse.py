"""Parsing X's pages: ours against twscrape's `parse_tweets`, on the same pages in the same run.

Both sides start from the body as received and end with objects; ours has more fields, and users and trends too. They
take turns, and each keeps its best of many rounds. The pages are the recordings of X (`XGET_RECORDINGS`, by default
beside the repository); without them the sandbox's, which have the same shape but are thinner. `python -m bench.parse`
prints every page.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

os.environ["TWS_TELEMETRY"] = "0"

from twscrape.logger import logger as twscrape_logger
from twscrape.models import parse_tweets

from bench.pages import bodies
from bench.table import Row, report
from xget_sources.ports import PageToParse
from xget_sources.x.parser import parse_page

TARGET = 1.5
ROUNDS = 40
SANDBOX_PAGES = 8
REPOSITORY = Path(__file__).resolve().parents[1]
RECORDINGS = Path(os.environ.get("XGET_RECORDINGS", REPOSITORY.parent / "shared" / "recordings")) / "x"


@dataclass(frozen=True, slots=True)
class Timed:
    """One page: milliseconds of both sides and what came out."""

    page: str
    ours_ms: float
    theirs_ms: float
    our_records: int
    their_posts: int

    @property
    def ratio(self) -> float:
        """How many times faster ours is."""
        return self.theirs_ms / self.ours_ms


def measure() -> list[Row]:
    """One row, over all pages."""
    return [_row(by_page())]


def by_page(rounds: int = ROUNDS) -> list[Timed]:
    """Every page, and all of them together at the end."""
    twscrape_logger.disable("twscrape")
    timed = [_timed(name, body, rounds) for name, body in _pages()]
    total = Timed(
        f"all {len(timed)} pages",
        sum(page.ours_ms for page in timed),
        sum(page.theirs_ms for page in timed),
        sum(page.our_records for page in timed),
        sum(page.their_posts for page in timed),
    )
    return [*timed, total]


def _pages() -> Iterator[tuple[str, bytes]]:
    recorded = [path for path in sorted(RECORDINGS.glob("*.json")) if path.name != "manifest.json"]
    if recorded:
        yield from ((path.stem, path.read_bytes()) for path in recorded)
        return
    for number, (body, _) in enumerate(islice(bodies(2000), SANDBOX_PAGES), start=1):
        yield f"sandbox page {number}", body


def _timed(name: str, body: bytes, rounds: int) -> Timed:
    page = PageToParse(
        task_type="KEYWORD_SEARCH", operation=name, body=body, match_keys=frozenset(), fetched_at=datetime.now(UTC)
    )
    ours, theirs = float("inf"), float("inf")
    for _ in range(rounds):
        ours = min(ours, _seconds(lambda: parse_page(page)))
        theirs = min(theirs, _seconds(lambda: list(parse_tweets(json.loads(body)))))
    parsed = parse_page(page)
    records = len(parsed.items) + len(parsed.authors)
    return Timed(name, ours * 1000, theirs * 1000, records, len(list(parse_tweets(json.loads(body)))))


def _seconds(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def _row(timed: list[Timed]) -> Row:
    total = timed[-1]
    return Row(
        name=f"parse {total.page}",
        ours=f"{total.ours_ms:.1f} ms, {total.our_records} records",
        peer=f"{total.theirs_ms:.1f} ms, {total.their_posts} posts (twscrape)",
        value=f"{total.ratio:.2f}x",
        target=f"≥ {TARGET:.1f}x",
        ok=total.ratio >= TARGET,
    )


def main() -> int:
    """Print every page, then the row."""
    timed = by_page()
    print(f"{'page':<22}{'ours ms':>9}{'twscrape ms':>13}{'ratio':>8}{'records':>9}{'its posts':>11}")
    for page in timed:
        print(
            f"{page.page:<22}{page.ours_ms:>9.2f}{page.theirs_ms:>13.2f}{page.ratio:>7.2f}x"
            f"{page.our_records:>9}{page.their_posts:>11}"
        )
    print()
    return report([_row(timed)])


if __name__ == "__main__":
    sys.exit(main())
