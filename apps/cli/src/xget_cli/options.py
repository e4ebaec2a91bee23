"""Options that every command shares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from cyclopts import Parameter


@Parameter(name="*")
@dataclass(frozen=True)
class Common:
    """Where to talk to and how to answer."""

    url: Annotated[str | None, Parameter(help="Gateway to talk to (XGET_URL).", show_default=False)] = None
    json: Annotated[bool, Parameter(negative="", help="Print JSON instead of tables.")] = False


DEFAULTS = Common()
