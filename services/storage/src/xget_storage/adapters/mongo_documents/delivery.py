"""One page on its way into the store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Final

import msgspec

from xget_contracts.events import PageParsed
from xget_storage.service.counting import KeptAnswer
from xget_storage.service.occurrences import Occurrence, by_key

_PAGE_BITS: Final = 22
_ORD_BITS: Final = 19
_SLOT: Final = 4096


@dataclass(slots=True, frozen=True)
class Run:
    """An execution: the `n`-th of its task."""

    task: str
    owner: str
    n: int


@dataclass(slots=True)
class PageRow:
    """What is stored of a page: digests of all its deliveries, the newest last, and the answer to that."""

    v: int
    digests: list[str]
    answer: KeptAnswer
    more: list[str] | None = None
    """Keys that earlier deliveries had and the newest has not; None where that was not written down."""

    def keys(self) -> list[str] | None:
        """Keys of all items that the page showed; None where nobody knows."""
        return None if self.more is None else [*self.answer.keys, *self.more]


@dataclass(slots=True)
class Delivery:
    """A page that is to be stored. `row` is there when the same page came before with other content."""

    page: PageParsed
    digest: str
    run: Run
    row: PageRow | None = None
    occurrences: dict[str, Occurrence] = field(init=False)

    def __post_init__(self) -> None:
        self.occurrences = by_key(self.page.items)

    @property
    def id(self) -> str:
        """`execution/page number`."""
        return page_id(self.page)

    def place(self, ord_: int, tries: int) -> int:
        """Place of the item at `ord_` in lists; another one for each try."""
        return place(self.run.n, self.page.page_no, ord_, tries + (len(self.row.digests) if self.row else 0))


def place(n: int, page_no: int, ord_: int, slot: int) -> int:
    """Place in lists: by execution, page and place on it; another one for each slot."""
    number = min(page_no, (1 << _PAGE_BITS) - 1)
    return (n << (_PAGE_BITS + _ORD_BITS)) | (number << _ORD_BITS) | ((ord_ + slot * _SLOT) % (1 << _ORD_BITS))


def page_id(page: PageParsed) -> str:
    """`_id` of a page."""
    return f"{page.execution_id}/{page.page_no}"


def digest(page: PageParsed) -> str:
    """What tells a page's content from another delivery's."""
    return blake2b(msgspec.json.encode(page), digest_size=16).hexdigest()


def page_row(document: Any) -> PageRow:
    """A page as it was stored."""
    answer = msgspec.convert(document["answer"], KeptAnswer)
    return PageRow(document["v"], list(document["digests"]), answer, document.get("more"))


def waves(pages: Sequence[tuple[PageParsed, str]]) -> Iterator[dict[str, tuple[PageParsed, str]]]:
    """Pages in runs in which no page comes with two different contents."""
    wave: dict[str, tuple[PageParsed, str]] = {}
    for page, its_digest in pages:
        other = wave.get(page_id(page))
        if other is not None and other[1] != its_digest:
            yield wave
            wave = {}
        wave[page_id(page)] = (page, its_digest)
    if wave:
        yield wave


def by_item(deliveries: Iterable[Delivery]) -> dict[str, list[tuple[Delivery, Occurrence]]]:
    """Who shows each item, in the order of the pages."""
    found: dict[str, list[tuple[Delivery, Occurrence]]] = {}
    for delivery in deliveries:
        for key, occurrence in delivery.occurrences.items():
            found.setdefault(key, []).append((delivery, occurrence))
    return found
