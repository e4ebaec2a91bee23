"""The event log contract on a real Kafka."""

from __future__ import annotations

import pytest

from xget_testing.contracts.event_log import EventLogContract
from xget_testing.contracts.event_log.kafka import KafkaHouse


@pytest.mark.connected("kafka")
@pytest.mark.slow
class TestKafkaEventLog(EventLogContract):
    """Leases run out in real time here: 6 s, the least that a broker allows."""

    @pytest.fixture
    async def house(self, kafka_house: KafkaHouse) -> KafkaHouse:
        return kafka_house
