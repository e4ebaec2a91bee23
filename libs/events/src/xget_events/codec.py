"""Bodies and headers of messages: JSON of a msgspec struct, CloudEvents attributes as `ce_…` headers."""

from __future__ import annotations

from datetime import datetime
from typing import Final, TypeVar

import msgspec

from xget_events.errors import PoisonMessage
from xget_events.log import Record
from xget_kernel.ids import new_id
from xget_kernel.messages import Message
from xget_telemetry import tracing

T = TypeVar("T")

VERSION: Final = 1
"""Of all bodies. It grows when an older reader would misunderstand a message; a new field is no reason."""
VERSION_HEADER: Final = "xget-version"

_ENCODER = msgspec.json.Encoder()


def encode(body: msgspec.Struct) -> bytes:
    """The JSON of a body; times as RFC 3339, bytes as base64."""
    return _ENCODER.encode(body)


def decode(record: Record, kind: type[T]) -> T:
    """The body of a record; fields that `kind` does not know are left out.

    Raises PoisonMessage, with the record and the failing path, when it is not a `kind` or of a later version.
    """
    version = record.headers.get(VERSION_HEADER, "1")
    if version != str(VERSION):
        raise PoisonMessage(
            f"The body is of version {version[:20]!r}, and this release reads {VERSION}: upgrade it, then replay.",
            record,
        )
    try:
        return msgspec.json.decode(record.value, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise PoisonMessage(f"The body is no {kind.__name__}: {error}", record) from error


def cloud_headers(body: msgspec.Struct, source: str, now: datetime, traceparent: str | None = None) -> dict[str, str]:
    """CloudEvents 1.0 attributes of a new message; `source` is the sending service, the type the body's class.

    Without `traceparent` the message belongs to the span that is current, if there is one.
    """
    headers = {
        "ce_specversion": "1.0",
        "ce_id": new_id(),
        "ce_type": f"xget.{type(body).__name__}",
        "ce_source": f"/xget/{source}",
        "ce_time": now.isoformat().replace("+00:00", "Z"),
    }
    context = traceparent or tracing.traceparent()
    return headers | {tracing.TRACEPARENT: context} if context else headers


def message(
    topic: str, key: str, body: msgspec.Struct, *, source: str, now: datetime, traceparent: str | None = None
) -> Message:
    """A message ready to publish."""
    return Message(topic, key, encode(body), cloud_headers(body, source, now, traceparent))
