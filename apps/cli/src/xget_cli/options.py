"""Options that every command shares."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

from cyclopts import Parameter

ID = re.compile(r"(?!\.+$)[^\s/?#%\\\x00-\x1f\x7f]{1,128}")


def _an_id(_: type, value: str) -> None:
    if not ID.fullmatch(value):
        raise ValueError("Write an id as a list shows it, without blanks and slashes.")


Id = Annotated[str, Parameter(validator=_an_id)]
"""An id that becomes part of an address: it must not lead to another one."""


@Parameter(name="*")
@dataclass(frozen=True)
class Common:
    """Where to talk to and how to answer."""

    url: Annotated[str | None, Parameter(help="Gateway to talk to (XGET_URL).", show_default=False)] = None
    json: Annotated[bool, Parameter(negative="", help="Print JSON instead of tables.")] = False


DEFAULTS = Common()
