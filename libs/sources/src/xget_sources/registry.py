"""Finds the installed sources by entry point, so that a package of somebody else can add one."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points

from xget_sources.ports import Source
from xget_sources.records import Records

GROUP = "xget.sources"


def load_sources() -> dict[str, Source]:
    """Every installed source by its route (x_session, …); build it once per process and close each.

    Raises ValueError when two packages bring the same route.
    """
    sources: dict[str, Source] = {}
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        source: Source = entry.load()()
        if source.route in sources:
            raise ValueError(f"Two sources are called {source.route}: uninstall the package that brings {entry.value}.")
        sources[source.route] = source
    return sources


def load_records() -> dict[str, Records]:
    """What can look into stored pages, by platform. Loads nothing that collects."""
    found: dict[str, Records] = {}
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        make = getattr(import_module(entry.module), "lookup", None)
        if make is not None:
            records: Records = make()
            found.setdefault(records.platform, records)
    return found
