"""What a measure finds, and how it is printed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure. `ok` None: it has no target, and stands there to be read beside the others."""

    name: str
    ours: str
    peer: str = ""
    """What it is compared with: a peer, or the bare thing."""
    value: str = ""
    """Their ratio, or the figure that the target is about."""
    target: str = ""
    ok: bool | None = None


HEADS = ("measure", "ours", "peer / bare", "value", "target", "ok?")
VERDICTS = {True: "yes", False: "NO", None: ""}


def table(rows: Sequence[Row]) -> str:
    """Rows as text in columns."""
    cells = [HEADS, *((row.name, row.ours, row.peer, row.value, row.target, VERDICTS[row.ok]) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEADS))]
    lines = ["  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() for line in cells]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines)


def report(rows: Sequence[Row]) -> int:
    """Print a table; a missed target is no failure."""
    print(table(rows))
    return 0
