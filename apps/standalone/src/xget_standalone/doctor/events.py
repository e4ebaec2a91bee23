"""How far behind the consumer groups are, and what lies in the dead-letter topics."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from typing import Final

from aiokafka.errors import KafkaError

from xget_events.dlq import GROUP as REPLAYING
from xget_events.log import DLQ_SUFFIX
from xget_events.opening import open_event_log
from xget_kernel.errors import StartupError, XGetError
from xget_kernel.settings import ServiceSettings
from xget_standalone.doctor.findings import Finding
from xget_standalone.probes.probing import PROBE_SECONDS
from xget_standalone.probes.topics import sizes
from xget_standalone.topics import named_topics

GROUPS: Final = (
    "scraper-workers",
    "scraper-progress",
    "scraper-accounts",
    "processing",
    "processing-forgotten",
    "storage",
    "storage-raw-pages",
    "search-index",
)
"""Every consumer group of the release."""
MOST_BEHIND: Final = 100_000
"""Records that a group may be behind before that is called wrong."""


async def look_at_events(settings: ServiceSettings) -> list[Finding]:
    """A finding per group, and per dead-letter topic that holds something."""
    if not settings.is_real("events") and not (settings.home / "events.db").exists():
        return [Finding(area="lag", name=group, state="idle", says="It has read nothing yet.") for group in GROUPS]
    try:
        lags = await _lags(settings)
        letters = await _dead(settings, lags.pop(REPLAYING))
        return [*(_lag(group, behind) for group, behind in lags.items()), *_letters(letters)]
    except (XGetError, StartupError, KafkaError, OSError, TimeoutError, sqlite3.Error) as error:
        return [
            Finding(
                area="lag", name="events", state="wrong", says=str(error), advice="Look at the engine of the events."
            )
        ]


async def _lags(settings: ServiceSettings) -> dict[str, dict[str, int]]:
    log = open_event_log(settings)
    try:
        async with asyncio.timeout(PROBE_SECONDS * 5):
            return {group: await log.lag(group) for group in (*GROUPS, REPLAYING)}
    finally:
        await log.close()


def _lag(group: str, by_topic: dict[str, int]) -> Finding:
    behind = sum(by_topic.values())
    if not by_topic:
        return Finding(area="lag", name=group, state="idle", says="It has read nothing yet.")
    late = behind > MOST_BEHIND
    return Finding(
        area="lag",
        name=group,
        state="wrong" if late else "ok",
        says=f"{behind} records behind",
        advice="Start another worker of this service, and look into the log of those that run." if late else "",
        facts={"lag": by_topic},
    )


def _letters(counts: dict[str, int]) -> list[Finding]:
    return [
        Finding(
            area="dead letters",
            name=topic,
            state="wrong" if count else "ok",
            says=f"{count} records wait there.",
            advice="Their header xget-reason says why; mend that, then `xget events replay`." if count else "",
            facts={"records": count},
        )
        for topic, count in counts.items()
    ]


async def _dead(settings: ServiceSettings, replayed: dict[str, int]) -> dict[str, int]:
    """Letters that wait: all of a topic, or those that no replay has taken yet."""
    topics = [spec.name + DLQ_SUFFIX for spec in named_topics(settings)]
    if settings.is_real("events"):
        found = await sizes(settings, topics)
    else:
        path = settings.home / "events.db"
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=PROBE_SECONDS)) as rows:
            found = dict(rows.execute("SELECT topic, SUM(next - start) FROM partitions GROUP BY topic").fetchall())
    return {topic: min(int(found[topic]), replayed.get(topic, int(found[topic]))) for topic in topics if topic in found}
