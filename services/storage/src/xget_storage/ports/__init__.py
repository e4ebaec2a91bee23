"""What storage needs from engines. Each has an embedded adapter and one contract suite in `xget_testing.contracts`."""

from xget_storage.ports.documents import Actor, DocumentStore, HistoryPage, ItemFilter, ItemPage, SightedPage
from xget_storage.ports.raw_pages import RawPageStore
from xget_storage.ports.search import Rebuild, SearchIndex, SearchPage, SearchQuery, Sort

__all__ = [
    "Actor",
    "DocumentStore",
    "HistoryPage",
    "ItemFilter",
    "ItemPage",
    "RawPageStore",
    "Rebuild",
    "SearchIndex",
    "SearchPage",
    "SearchQuery",
    "SightedPage",
    "Sort",
]
