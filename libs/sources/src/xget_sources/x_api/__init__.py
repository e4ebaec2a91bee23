"""X's official API (version 2) as another route to the platform `x`: the same items by another wire."""

from __future__ import annotations

from xget_sources.ports import Source


def source() -> Source:
    """The source for entry point group `xget.sources`."""
    from xget_sources.x_api.api_source import XApiSource  # noqa: PLC0415 - as the session route: not at import

    return XApiSource()
