"""Records as aiokafka has them, as ours. Every message passes here: each microsecond counts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from aiokafka.structs import ConsumerRecord

from xget_events.log import Record


def records_of(raws: Sequence[ConsumerRecord], topic: str) -> list[Record]:
    """Records of one topic.

    What others wrote without a key or body has an empty one; text that is no UTF-8 is mended.
    """
    found = []
    at, when = -1, datetime.fromtimestamp(0, UTC)
    for raw in raws:
        if raw.timestamp != at:
            at = raw.timestamp
            when = datetime.fromtimestamp(at / 1000, UTC)
        try:
            key, headers = raw.key.decode(), {name: text.decode() for name, text in raw.headers}
        except (UnicodeDecodeError, AttributeError):
            key, headers = _text(raw.key), {name: _text(text) for name, text in raw.headers}
        found.append(Record(topic, key, raw.value or b"", headers, raw.partition, raw.offset, when))
    return found


def _text(raw: bytes | None) -> str:
    return raw.decode(errors="replace") if raw else ""
