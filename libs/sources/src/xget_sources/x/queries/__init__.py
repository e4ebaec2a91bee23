"""X's query language: writing it from parameters, and finding what is wrong with what people wrote."""

from xget_sources.x.queries.building import query_of

__all__ = ["query_of"]
