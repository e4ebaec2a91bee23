"""Which source serves which platform."""

from __future__ import annotations

from collections.abc import Mapping

from xget_sources.ports import Source


def by_platform(sources: Mapping[str, Source]) -> dict[str, Source]:
    """The source of each platform: the route of the platform's own name, or else the first."""
    found: dict[str, Source] = {}
    for name in sorted(sources, key=lambda name: (sources[name].route != sources[name].platform, name)):
        found.setdefault(sources[name].platform, sources[name])
    return found
