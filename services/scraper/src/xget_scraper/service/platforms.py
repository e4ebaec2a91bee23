"""Which sources serve which platform."""

from __future__ import annotations

from collections.abc import Mapping

from xget_sources.ports import Source


def by_platform(sources: Mapping[str, Source]) -> dict[str, Source]:
    """The first source of each platform: the one with the most task types, which declares what there is."""
    found: dict[str, Source] = {}
    for source in sorted(sources.values(), key=lambda one: (-len(one.task_types), one.route)):
        found.setdefault(source.platform, source)
    return found
