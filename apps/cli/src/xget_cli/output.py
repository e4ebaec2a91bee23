"""How answers look: JSON as it came, or tables and lines for people."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Characters of foreign texts that could move the cursor or turn the line around."""

PIPE_WIDTH = 240
"""Columns when nobody looks: a line of a table stays one line for grep."""


def console() -> Console:
    """Standard output; rich drops colours by itself when it is no terminal."""
    wide = None if sys.stdout.isatty() or "COLUMNS" in os.environ else PIPE_WIDTH
    return Console(highlight=False, width=wide)


def print_json(data: Any) -> None:
    """One JSON document."""
    sys.stdout.write(json.dumps(data, ensure_ascii=False, indent=2) + "\n")


def safe(value: Any) -> str:
    """Foreign text on one line without control characters."""
    return _flat(str("" if value is None else value)).strip()


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """A table; cells are plain text, never markup. Ids stay in one piece, to be copied."""
    drawn = Table(title=title or None, title_justify="left", header_style="bold", box=None, pad_edge=False)
    for name in columns:
        drawn.add_column(name, overflow="fold", no_wrap=name == "id" or name.endswith("_id"))
    for row in rows:
        drawn.add_row(*(cell if isinstance(cell, Text) else Text(safe(cell)) for cell in row))
    console().print(drawn)


def line(text: str) -> None:
    """One line of plain text, however narrow the terminal: pipes and searches see it whole."""
    console().print(Text(text), soft_wrap=True)


def highlighted(html: str, *, marks: bool = False) -> Text:
    """A highlight of the search (`<em>` around hits, the rest HTML-escaped) as styled text.

    `marks` sets hits in brackets as well, for output without colours.
    """
    import html as entities  # noqa: PLC0415 - only search needs it

    text = Text()
    for n, part in enumerate(re.split(r"</?em>", html)):
        shown = _flat(entities.unescape(part))
        text.append(f"[{shown}]" if marks and n % 2 else shown, style="bold yellow" if n % 2 else "")
    return text


def _flat(text: str) -> str:
    return re.sub(r"\s+", " ", CONTROL.sub("", text))
