"""X (x.com): posts, users and trends through twscrape, parsed by XGet."""

from __future__ import annotations

from xget_sources.ports import Source
from xget_sources.records import Records


def source() -> Source:
    """The source for entry point group `xget.sources`. Loads twscrape, which takes a while: not at import."""
    from xget_sources.x.x_source import XSource  # noqa: PLC0415 - see above

    return XSource()


def lookup() -> Records:
    """What looks into stored pages of X, without twscrape."""
    from xget_sources.x.records import XRecords  # noqa: PLC0415 - the parser loads at the first need

    return XRecords()
