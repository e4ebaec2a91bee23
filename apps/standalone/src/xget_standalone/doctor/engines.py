"""The engine of each concern."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Final

import msgspec

from xget_kernel.engines import CONCERNS, Concern, masked
from xget_kernel.errors import StartupError
from xget_kernel.settings import ServiceSettings
from xget_standalone.doctor.findings import Finding
from xget_standalone.probes.answers import Answer, Silent
from xget_standalone.probes.probing import load, probe

ASK_SECONDS: Final = 5.0
SKEW_SECONDS: Final = 2.0
"""Clocks that differ by more make leases end early or late."""
_FILES: Final[dict[Concern, tuple[str, ...]]] = {
    "tables": ("auth.db", "account.db", "proxy.db", "scraper.db", "processing.db"),
    "documents": ("documents.db", "raw_pages.db"),
    "search": ("search.db",),
    "events": ("events.db",),
}


async def look_at_engines(settings: ServiceSettings) -> list[Finding]:
    """A finding per concern, and one per clock."""
    for concern in CONCERNS:
        load(concern)
    found = await asyncio.gather(*(_look(concern, settings) for concern in CONCERNS))
    return [finding for findings in found for finding in findings]


async def _look(concern: Concern, settings: ServiceSettings) -> list[Finding]:
    try:
        if not settings.is_real(concern):
            return [_embedded(concern, settings)]
        finding = Finding(
            area="engine",
            name=concern,
            state="ok",
            engine=settings.engine_of(concern),
            address=address_of(concern, settings),
        )
    except StartupError as error:
        return [Finding(area="engine", name=concern, state="wrong", says=str(error), advice="See there.")]
    began, asked = time.perf_counter(), datetime.now(UTC)
    try:
        answer = await probe(concern, settings, ASK_SECONDS)
    except (Silent, StartupError) as error:
        said, _, advice = str(error).partition(": ")
        return [msgspec.structs.replace(finding, state="wrong", says=f"{said}.", advice=advice)]
    assert answer is not None  # noqa: S101 - the concern is real
    took = time.perf_counter() - began
    whole = msgspec.structs.replace(
        finding,
        state="wrong" if answer.problem else "ok",
        version=answer.version,
        latency_ms=round(took * 1000, 1),
        says=answer.problem,
        advice=answer.advice,
        facts=answer.facts,
    )
    return [whole, *_clock(finding, answer, asked, took)]


def _clock(finding: Finding, answer: Answer, asked: datetime, took: float) -> list[Finding]:
    if answer.now is None:
        return []
    ahead = (answer.now - asked).total_seconds()
    skew = 0.0 if 0 <= ahead <= took else ahead - (took if ahead > 0 else 0)
    wrong = abs(skew) > SKEW_SECONDS
    return [
        Finding(
            area="clock",
            name=finding.engine,
            state="wrong" if wrong else "ok",
            says=f"Its clock differs from ours by {skew:+.1f} s." if wrong else "",
            advice="Let NTP set the clocks of both machines." if wrong else "",
            facts={"skew_seconds": round(skew, 3)},
        )
    ]


def _embedded(concern: Concern, settings: ServiceSettings) -> Finding:
    files = [settings.home / name for name in _FILES.get(concern, ())]
    size = sum(path.stat().st_size for path in files if path.exists())
    there = bool(size) or not files
    return Finding(
        area="engine",
        name=concern,
        state="ok" if there else "idle",
        engine=settings.engine_of(concern),
        address=str(settings.home) if files else "in each process",
        version=sqlite3.sqlite_version if files else version("xget-standalone"),
        says="" if there else "Nothing is stored yet.",
        facts={"bytes": size} if files else {},
    )


def address_of(concern: Concern, settings: ServiceSettings) -> str:
    """Where the engine is, without credentials."""
    match concern:
        case "tables":
            return masked(settings.tables("")).partition("?")[0]
        case "documents":
            return masked(settings.mongodb_url.reveal() if settings.mongodb_url else "")
        case "search":
            return masked(settings.elasticsearch_url.reveal() if settings.elasticsearch_url else "")
        case "events":
            return settings.kafka_bootstrap_servers or ""
        case _:
            return masked(settings.redis_url.reveal() if settings.redis_url else "")
