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

from xget_cli.fitting import brief, fitted, is_id, natural

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


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], *, spare: Sequence[str] = ()) -> None:
    """A table; cells are plain text, never markup. Ids stay in one piece, to be copied.

    Where the terminal is too narrow, columns of `spare` are left out, the first ones first; if that does not help, a
    row is a block of lines.
    """
    screen, cells = console(), [[_cell(value) for value in row] for row in rows]
    if natural(columns, cells) > screen.width:
        cells = [[brief(cell) for cell in row] for row in cells]
    fit = fitted(columns, cells, screen.width, spare)
    if fit is None:
        return _blocks(screen, title, columns, cells)
    drawn = Table(title=title or None, title_justify="left", header_style="bold", box=None, pad_edge=False)
    for place, width in zip(fit.columns, fit.widths, strict=True):
        drawn.add_column(columns[place], overflow="fold", no_wrap=is_id(columns[place]), width=width)
    for row in cells:
        drawn.add_row(*(row[place] for place in fit.columns))
    screen.print(drawn)
    if fit.spared:
        left_out = ", ".join(columns[place] for place in sorted(fit.spared))
        line(f"No room for: {left_out}. A wider window or --json shows it.")
    return None


def _blocks(screen: Console, title: str, columns: Sequence[str], rows: Sequence[Sequence[Text]]) -> None:
    if title:
        screen.print(Text(title, "italic"))
    for number, row in enumerate(rows):
        block = Table(show_header=False, box=None, pad_edge=False)
        block.add_column(no_wrap=True, style="bold")
        block.add_column(overflow="fold")
        for name, cell in zip(columns, row, strict=True):
            if cell.plain:
                block.add_row(name, cell)
        if number:
            screen.print()
        screen.print(block)


def _cell(value: Any) -> Text:
    return value if isinstance(value, Text) else Text(safe(value))


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
