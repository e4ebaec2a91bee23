"""What a member gives out of a partition: nothing twice, and nothing of a replaced topic left out."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from aiokafka import TopicPartition
from aiokafka.structs import ConsumerRecord

from xget_events.kafka.holding import Holding

PLACE = TopicPartition("t.xget.results", 0)


class Client:
    """As much of aiokafka's consumer as a holding asks; `end` is the end of the partition, as last fetched."""

    def __init__(self) -> None:
        self.end = 100

    async def committed(self, place: TopicPartition) -> int:
        return 40

    def highwater(self, place: TopicPartition) -> int:
        return self.end


def records(first: int, last: int) -> list[ConsumerRecord[Any, Any]]:
    return [
        ConsumerRecord(PLACE.topic, 0, offset, 0, 0, b"k", b"v", None, 1, 1, ()) for offset in range(first, last + 1)
    ]


def offsets(given: list[ConsumerRecord[Any, Any]]) -> list[int]:
    return [record.offset for record in given]


async def holding_to(position: int, client: Client) -> Holding:
    seat: Any = SimpleNamespace(generation=1)
    holding = Holding(client, seat)
    await holding.on_partitions_assigned([PLACE])
    holding.give(PLACE, records(40, position - 1))
    return holding


async def test_what_is_fetched_again_is_given_once() -> None:
    holding = await holding_to(60, Client())
    assert offsets(holding.give(PLACE, records(50, 65))) == [60, 61, 62, 63, 64, 65]


async def test_a_topic_that_ends_before_what_was_read_is_another_one() -> None:
    client = Client()
    holding = await holding_to(60, client)
    client.end = 10
    assert offsets(holding.give(PLACE, records(0, 9))) == list(range(10))
    assert holding.sort({PLACE: 10}) == ({PLACE: 10}, set())


async def test_a_batch_of_a_topic_that_is_gone_is_not_committed_to_the_new_one() -> None:
    holding = await holding_to(60, Client())
    holding.begin_anew([PLACE.topic])
    assert holding.sort({PLACE: 60}) == ({}, {PLACE})
    assert offsets(holding.give(PLACE, records(0, 2))) == [0, 1, 2]
