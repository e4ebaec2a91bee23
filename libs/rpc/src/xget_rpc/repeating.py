"""Which calls may be made again after they failed."""

from __future__ import annotations

import functools
from typing import Any, Final

import grpc
from google.protobuf import descriptor_pool
from google.protobuf.descriptor_pb2 import MethodOptions

_NEVER_SENT: Final = ("failed to connect", "errors resolving", "DNS resolution failed")
"""How gRPC's words for a connection that was not made begin; anything else may have arrived."""


def may_repeat(method: str | bytes, error: Any) -> bool:
    """True when a call that found nobody was never sent, or its proto says that repeating it does no harm."""
    return str(error.details() or "").startswith(_NEVER_SENT) or _is_idempotent(_name(method))


def is_silent(error: Any) -> bool:
    """True when nobody answered in time, or at all."""
    return error.code() in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}


def _name(method: str | bytes) -> str:
    text = method.decode() if isinstance(method, bytes) else method
    return text.strip("/").replace("/", ".")


@functools.cache
def _is_idempotent(name: str) -> bool:
    try:
        options = descriptor_pool.Default().FindMethodByName(name).GetOptions()
    except KeyError:
        return False
    return bool(options.idempotency_level != MethodOptions.IDEMPOTENCY_UNKNOWN)
