"""The event log on Kafka."""

from xget_events.kafka.store import KafkaEventLog

__all__ = ["KafkaEventLog"]
