"""How wide the columns of a table are: no word is broken while another column has room, and ids stay whole."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len
from rich.text import Text

GAP: Final = 2
"""Cells between two columns."""
LONGEST: Final = 24
"""Words beyond that may be broken, as addresses are."""
READABLE: Final = 12
"""Sentences in less than that are no help."""
_MOMENT: Final = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?(?:Z|\+00:00)?")


@dataclass(frozen=True)
class Fit:
    """What is drawn of a table: which columns, how wide each, and of which there was no room."""

    columns: tuple[int, ...]
    widths: tuple[int, ...]
    spared: tuple[int, ...] = ()


def is_id(column: str) -> bool:
    """Whether what stands in it is to be copied."""
    return column in {"id", "key"} or column.endswith("_id")


def brief(cell: Text) -> Text:
    """A moment without its fractions."""
    found = _MOMENT.fullmatch(cell.plain)
    return Text(f"{found[1]} {found[2]}", no_wrap=True) if found else cell


def fitted(columns: Sequence[str], rows: Sequence[Sequence[Text]], width: int, spare: Sequence[str]) -> Fit | None:
    """Columns in `width` cells, without `spare` ones (the first ones first) if need be; None when nothing helps."""
    bodies = [[row[place] for row in rows] for place in range(len(columns))]
    needs = [_needed(name, of) for name, of in zip(columns, bodies, strict=True)]
    wishes = [max(map(cell_len, (name, *(c.plain for c in of)))) for name, of in zip(columns, bodies, strict=True)]
    left = list(range(len(columns)))
    spared = list[int]()
    to_spare = [columns.index(name) for name in spare if name in columns]
    while sum(needs[n] for n in left) + GAP * (len(left) - 1) > width:
        if not to_spare:
            return None
        spared.append(to_spare.pop(0))
        left.remove(spared[-1])
    room = width - GAP * (len(left) - 1)
    widths = _shared([needs[n] for n in left], [wishes[n] for n in left], room)
    return Fit(tuple(left), tuple(widths), tuple(spared))


def _needed(column: str, cells: Sequence[Text]) -> int:
    """Less would break what is one piece, or make a pole of a sentence."""
    pieces = [column] if is_id(column) else _words(column)
    for cell in cells:
        pieces += [cell.plain] if is_id(column) or cell.no_wrap else _words(cell.plain)
        if cell_len(cell.plain) > READABLE:
            pieces.append("-" * READABLE)
    return max(map(cell_len, pieces))


def _words(text: str) -> list[str]:
    return [word[:LONGEST] for word in text.split(" ")]


def _shared(needs: Sequence[int], wishes: Sequence[int], room: int) -> list[int]:
    """What each needs, and of the rest the same for each that still wishes."""
    widths = list(needs)
    while (rest := room - sum(widths)) > 0:
        wishing = [n for n, wish in enumerate(wishes) if wish > widths[n]]
        if not wishing:
            break
        for n in wishing[:rest]:
            widths[n] += min(wishes[n] - widths[n], max(1, rest // len(wishing)))
    return widths
