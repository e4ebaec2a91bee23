"""Real PostgreSQL, Valkey, MongoDB-protocol, Elasticsearch and Kafka servers for development, tests and benches.

`python scripts/engines --help`. Standard library only, so that any python >= 3.11 runs it.
"""
