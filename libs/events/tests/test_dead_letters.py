"""Dead letters are listed, and sent again without a loss, on both logs."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from xget_events.dlq import replay, waiting
from xget_events.log import EventLog, Record, TopicSpec
from xget_kernel.errors import Unavailable
from xget_kernel.messages import Message
from xget_testing.contracts.event_log import LogHouse, drain

TOPIC = "xget.pages"
ENGINES = ["sqlite", pytest.param("kafka", marks=[pytest.mark.connected("kafka"), pytest.mark.slow])]


@pytest.fixture(params=ENGINES)
def any_house(request: pytest.FixtureRequest) -> LogHouse:
    house: LogHouse = request.getfixturevalue("house" if request.param == "sqlite" else "kafka_house")
    return house


@pytest.fixture
async def log(any_house: LogHouse) -> AsyncIterator[EventLog]:
    log = await any_house.open()
    await log.create_topics([TopicSpec(TOPIC, 3)])
    yield log
    await log.close()


def letter(body: str, group: str = "storage") -> Message:
    headers = {"ce_id": body, "traceparent": "00-1-2-01", "xget-reason": f"bad {body}", "xget-group": group}
    where = {"xget-topic": TOPIC, "xget-partition": "1", "xget-offset": "7"}
    return Message(TOPIC + ".dlq", f"key-{body}", body.encode(), headers | where)


async def sent(log: EventLog, count: int) -> list[Record]:
    async with log.consumer("checkers", [TOPIC]) as consumer:
        return await drain(consumer, count)


async def test_letters_are_listed_with_their_reason_and_stay(log: EventLog) -> None:
    await log.publish([letter("1"), letter("2", "processing")])
    for _ in range(2):
        found = await waiting(log, TOPIC)
        assert [(one.key, one.group, one.reason, one.size) for one in found] == [
            ("key-1", "storage", "bad 1", 1),
            ("key-2", "processing", "bad 2", 1),
        ]
    assert len(await waiting(log, TOPIC, limit=1)) == 1


async def test_a_replay_restores_the_message_and_marks_it(log: EventLog) -> None:
    await log.publish([letter("1"), letter("2")])
    report = await replay(log, TOPIC + ".dlq")
    assert (report.sent, report.kept) == (2, 0)
    records = sorted(await sent(log, 2), key=lambda record: record.value)
    assert [(record.key, record.value) for record in records] == [("key-1", b"1"), ("key-2", b"2")]
    assert records[0].headers == {"ce_id": "1", "traceparent": "00-1-2-01", "xget-replayed": "1"}
    assert await waiting(log, TOPIC) == []


async def test_a_letter_that_fails_again_tells_how_often(log: EventLog) -> None:
    first = letter("1")
    await log.publish([Message(first.topic, first.key, first.value, first.headers | {"xget-replayed": "1"})])
    assert [one.replayed for one in await waiting(log, TOPIC)] == [1]
    await replay(log, TOPIC)
    (record,) = await sent(log, 1)
    assert record.headers["xget-replayed"] == "2"


async def test_letters_of_other_groups_are_put_back(log: EventLog) -> None:
    await log.publish([letter("1"), letter("2", "processing"), letter("3")])
    report = await replay(log, TOPIC, group="storage")
    assert (report.sent, report.kept) == (2, 1)
    assert [one.key for one in await waiting(log, TOPIC)] == ["key-2"]
    assert {record.value for record in await sent(log, 2)} == {b"1", b"3"}


async def test_a_limit_and_a_dry_run(log: EventLog) -> None:
    await log.publish([letter(str(n)) for n in range(5)])
    assert (await replay(log, TOPIC, dry_run=True)).sent == 5
    assert (await replay(log, TOPIC, limit=2)).sent == 2
    assert [one.key for one in await waiting(log, TOPIC)] == ["key-2", "key-3", "key-4"]


class CrashingLog:
    """The log of a process that dies between appending and marking."""

    def __init__(self, log: EventLog) -> None:
        self._log = log

    def __getattr__(self, name: str) -> object:
        return getattr(self._log, name)

    async def publish(self, messages: list[Message]) -> None:
        await self._log.publish(messages)
        raise Unavailable("killed here")


async def test_a_crash_between_sending_and_marking_sends_twice_and_loses_nothing(log: EventLog) -> None:
    await log.publish([letter("1"), letter("2")])
    with pytest.raises(Unavailable, match="killed"):
        await replay(CrashingLog(log), TOPIC)  # type: ignore[arg-type]  # hands everything else through
    assert (await replay(log, TOPIC)).sent == 2
    assert sorted(record.value for record in await sent(log, 4)) == [b"1", b"1", b"2", b"2"]


async def test_no_letters_is_no_error(log: EventLog) -> None:
    assert await waiting(log, TOPIC) == []
    assert (await replay(log, TOPIC)).sent == 0
