"""Bodies and headers on the wire."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from xget_events import codec
from xget_events.errors import PoisonMessage
from xget_events.log import Record
from xget_events.topics import load_topics
from xget_kernel.ids import is_id

NOW = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)


class Body(msgspec.Struct):
    name: str
    raw: bytes = b""
    at: datetime = NOW


def record(value: bytes) -> Record:
    return Record("t", "k", value, {}, 0, 0, NOW)


def test_a_body_survives_the_wire() -> None:
    body = Body("人工智能", b"\x00\xff")
    assert codec.decode(record(codec.encode(body)), Body) == body


@pytest.mark.parametrize("value", [b"", b"{", b'{"name": 1}', b"\xff", b"[" * 100_000, b'{"name": "\xff"}'])
def test_what_does_not_decode_is_poison_and_names_its_record(value: bytes) -> None:
    bad = record(value)
    with pytest.raises(PoisonMessage, match="The body is no Body") as caught:
        codec.decode(bad, Body)
    assert caught.value.record is bad


def test_headers_are_cloud_events() -> None:
    message = codec.message("t", "k", Body("a"), source="scraper", now=NOW, traceparent="00-ab-cd-01")
    assert is_id(message.headers.pop("ce_id"))
    assert message.headers == {
        "ce_specversion": "1.0",
        "ce_type": "xget.Body",
        "ce_source": "/xget/scraper",
        "ce_time": "2026-11-20T08:30:00Z",
        "traceparent": "00-ab-cd-01",
    }


def test_a_message_without_a_trace_says_nothing_of_one() -> None:
    assert "traceparent" not in codec.cloud_headers(Body("a"), "scraper", NOW)


def test_the_topics_of_the_contracts_load() -> None:
    topics = {topic.name: topic for topic in load_topics()}
    assert {"xget.tasks", "xget.pages", "xget.results", "xget.stored"} <= topics.keys()
    assert topics["xget.pages"].max_message_mb == 16
