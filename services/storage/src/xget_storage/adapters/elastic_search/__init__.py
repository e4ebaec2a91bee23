"""Full-text search in Elasticsearch."""

from xget_storage.adapters.elastic_search.index import ElasticSearch

__all__ = ["ElasticSearch"]
