"""Which sources serve which platform, and by which routes."""

from __future__ import annotations

from collections.abc import Mapping

from xget_sources.ports import Source


class Platforms(dict[str, Source]):
    """The first source of each platform: the one with the most task types, which declares what there is."""

    def __init__(self, sources: Mapping[str, Source]) -> None:
        super().__init__()
        self.routes: Mapping[str, Source] = {source.route: source for source in sources.values()}
        for source in sorted(sources.values(), key=lambda one: (-len(one.task_types), one.route)):
            self.setdefault(source.platform, source)

    def to(self, platform: str) -> list[str]:
        """The routes to a platform."""
        return sorted(route for route, source in self.routes.items() if source.platform == platform)


def by_platform(sources: Mapping[str, Source]) -> Platforms:
    """Installed sources by what they serve."""
    return Platforms(sources)
