"""The behaviour of a search index, whatever the engine.

Subclass `SearchIndexContract` with a fixture `index` and the class attributes `ports` and `models`, storage's modules.
"""

from __future__ import annotations

from xget_testing.contracts.search.keeping import Keeping
from xget_testing.contracts.search.matching import Matching
from xget_testing.contracts.search.narrowing import Narrowing


class SearchIndexContract(Matching, Narrowing, Keeping):
    """All of it."""


__all__ = ["SearchIndexContract"]
