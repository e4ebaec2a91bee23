"""Between structs and BSON. Times stay RFC 3339 text: BSON dates end at milliseconds, ours at microseconds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import bson
import msgspec
from bson.errors import InvalidDocument, InvalidStringData
from bson.raw_bson import RawBSONDocument

from xget_contracts.items import Struct

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_AS_JSON: Final = "json"
_UNFIT: Final = (InvalidDocument, InvalidStringData, OverflowError)


def micros(moment: datetime) -> int:
    """Microseconds since 1970."""
    return (moment - _EPOCH) // _MICROSECOND


def moment(value: int) -> datetime:
    """The time that `micros` counted."""
    return _EPOCH + timedelta(microseconds=value)


def pack(struct: Struct, frame: Mapping[str, Any], without: frozenset[str]) -> RawBSONDocument:
    """A document of `frame` and the fields of `struct` that hold no default, `without` some.

    What BSON cannot say (an integer over 64 bits, a NUL in a name) puts the struct into one field as JSON text.
    """
    fields = msgspec.to_builtins(struct)
    for name in without:
        fields.pop(name, None)
    try:
        return RawBSONDocument(bson.encode({**fields, **frame}))
    except _UNFIT:
        return RawBSONDocument(bson.encode({**frame, _AS_JSON: msgspec.json.encode(fields).decode()}))


def unpacked(document: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that `pack` was given, those of the frame among them."""
    if _AS_JSON in document:
        return {**msgspec.json.decode(document[_AS_JSON]), **document}
    return dict(document)
