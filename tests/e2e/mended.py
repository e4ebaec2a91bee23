"""Runs `xget` with a parser of a newer version, which knows X's new name of a post's text as well as the old one."""

from __future__ import annotations

import sys

from msgspec import structs

from xget_cli.main import main
from xget_sources.ports import PageToParse, Parsed
from xget_sources.x.x_source import XSource

read = XSource.parse


def parse(self: XSource, page: PageToParse) -> Parsed:
    """As ever, with the old name."""
    return read(self, structs.replace(page, body=page.body.replace(b'"body_text":', b'"full_text":')))


XSource.parser_version = "x-mended"
XSource.parse = parse  # type: ignore[method-assign] # the release that the trial deploys

if __name__ == "__main__":
    sys.exit(main())
