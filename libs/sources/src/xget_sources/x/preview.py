"""What a task would ask X, told without asking it."""

from __future__ import annotations

from pydantic import BaseModel

from xget_sources.ports import Preview
from xget_sources.x.targets import targets_of

MOST_ASKS = 20


def preview_of(params: BaseModel) -> Preview:
    """The asks of the first targets, and how many targets there are."""
    asks, count = list[str](), 0
    for target in targets_of(params):
        count += 1
        if count <= MOST_ASKS:
            asks.append(target.label)
    return Preview(asks=asks, more=count - len(asks), targets=count, operations=[], page_size=20)
