"""The engines, one module each."""

from __future__ import annotations

from engines.engine import Engine
from engines.kinds.elasticsearch import Elasticsearch
from engines.kinds.guarded_kafka import GuardedKafka
from engines.kinds.kafka import Kafka
from engines.kinds.mongodb import MongoDB
from engines.kinds.postgres import Postgres
from engines.kinds.redis import Redis

KINDS: dict[str, type[Engine]] = {k.name: k for k in (Postgres, Redis, MongoDB, Elasticsearch, Kafka, GuardedKafka)}
"""Every engine by its name; the slowest to start come last only in this list, all start at once."""
