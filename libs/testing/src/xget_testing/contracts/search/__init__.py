"""The behaviour of a search index, whatever the engine.

Subclass `SearchIndexContract` with fixtures `index` and `other` (a second object on the same data) and the class
attributes `ports` and `models`, storage's modules.
"""

from __future__ import annotations

from xget_testing.contracts.search.keeping import Keeping
from xget_testing.contracts.search.matching import Matching
from xget_testing.contracts.search.narrowing import Narrowing
from xget_testing.contracts.search.rebuilding import Rebuilding


class SearchIndexContract(Matching, Narrowing, Keeping, Rebuilding):
    """All of it."""


__all__ = ["SearchIndexContract"]
