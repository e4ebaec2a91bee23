"""What a page shows of each item: a page may show one several times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xget_contracts.items import Item


@dataclass(slots=True)
class Occurrence:
    """One item of a page, as often as the page shows it. `ord` is its first place; one match makes all a match."""

    shown: list[Item]
    ord: int
    match: bool = False


def by_key(items: Sequence[Item]) -> dict[str, Occurrence]:
    """The items of a page by key, in its order."""
    found: dict[str, Occurrence] = {}
    for place, item in enumerate(items):
        occurrence = found.get(item.key)
        if occurrence is None:
            occurrence = found[item.key] = Occurrence([], place)
        occurrence.shown.append(item)
        occurrence.match |= item.role == "match"
    return found
