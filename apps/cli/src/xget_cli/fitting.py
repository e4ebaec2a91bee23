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
COMFORTABLE: Final = 24
"""So much each sentence should have: columns are spared for that."""
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


def natural(columns: Sequence[str], rows: Sequence[Sequence[Text]]) -> int:
    """Cells with which no line breaks."""
    return sum(_wishes(columns, rows)) + GAP * (len(columns) - 1)


def fitted(columns: Sequence[str], rows: Sequence[Sequence[Text]], width: int, spare: Sequence[str]) -> Fit | None:
    """Columns in `width` cells, without `spare` ones (the first ones first) if need be; None when nothing helps."""
    bodies = [[row[place] for row in rows] for place in range(len(columns))]
    wishes = _wishes(columns, rows)
    to_spare = [columns.index(name) for name in spare if name in columns]
    for room in (COMFORTABLE, READABLE):
        needs = [_needed(name, of, room) for name, of in zip(columns, bodies, strict=True)]
        for count in range(len(to_spare) + 1):
            left = [place for place in range(len(columns)) if place not in to_spare[:count]]
            free = width - GAP * (len(left) - 1)
            if sum(needs[place] for place in left) <= free:
                widths = _shared([needs[place] for place in left], [wishes[place] for place in left], free)
                return Fit(tuple(left), tuple(widths), tuple(to_spare[:count]))
    return None


def _wishes(columns: Sequence[str], rows: Sequence[Sequence[Text]]) -> list[int]:
    return [max(map(cell_len, (name, *(row[n].plain for row in rows)))) for n, name in enumerate(columns)]


def _needed(column: str, cells: Sequence[Text], room: int) -> int:
    """Less would break what is one piece, or leave a sentence less than `room`."""
    pieces = [column] if is_id(column) else _words(column)
    for cell in cells:
        pieces += [cell.plain] if is_id(column) or cell.no_wrap else _words(cell.plain)
    longest = max(map(cell_len, (cell.plain for cell in cells)), default=0)
    return max(min(room, longest) if longest > READABLE else 0, *map(cell_len, pieces))


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
