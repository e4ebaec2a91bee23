"""X's query language: writing it from parameters, and finding what is wrong with what people wrote."""

from xget_sources.x.queries.building import query_of
from xget_sources.x.queries.filters import Filtered
from xget_sources.x.queries.search import Search

__all__ = ["Filtered", "Search", "query_of"]
