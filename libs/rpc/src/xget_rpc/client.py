"""A channel to another service."""

from collections.abc import Callable
from typing import Any, TypeVar

import grpc.aio

from xget_kernel.breaker import Breaker
from xget_kernel.clock import Clock, SystemClock
from xget_kernel.secrets import Secret
from xget_rpc.calls import Silence, StreamCalls, UnaryCalls
from xget_rpc.hiding import hide_messages
from xget_rpc.status import (
    RpcBadRequest,
    RpcConflict,
    RpcDeadline,
    RpcError,
    RpcForbidden,
    RpcFull,
    RpcInternal,
    RpcInvalid,
    RpcNotFound,
    RpcPreconditionFailed,
    RpcTooLarge,
    RpcTooMany,
    RpcUnauthenticated,
    RpcUnavailable,
)

__all__ = [
    "RpcBadRequest",
    "RpcChannel",
    "RpcConflict",
    "RpcDeadline",
    "RpcError",
    "RpcForbidden",
    "RpcFull",
    "RpcInternal",
    "RpcInvalid",
    "RpcNotFound",
    "RpcPreconditionFailed",
    "RpcTooLarge",
    "RpcTooMany",
    "RpcUnauthenticated",
    "RpcUnavailable",
]

S = TypeVar("S")

DEADLINE_SECONDS = 10.0


class RpcChannel:
    """Deadlines on every call, retries while the other side is away, XGet's errors instead of gRPC's.

    After five calls in a row that nobody answered, calls raise RpcUnavailable with Retry-After at once, and one at a
    time tries whether the service is back. A `patient` channel (a worker's, which has nothing better to do) waits
    instead, up to the call's deadline. `breaker` tells the state.

    Calls raise RpcError, which is also the kernel's NotFound, TooMany, … with the code of the other service. Make it
    inside the event loop that uses it.
    """

    def __init__(
        self,
        target: str,
        internal_token: Secret | str,
        *,
        deadline: float = DEADLINE_SECONDS,
        max_message_mb: int = 64,
        clock: Clock | None = None,
        patient: bool = False,
    ) -> None:
        token = internal_token if isinstance(internal_token, Secret) else Secret(internal_token)
        time = clock or SystemClock()
        self.breaker = Breaker(f"The service at {target}", failures=(Silence,), clock=time)
        calls: list[Any] = [
            UnaryCalls(target, token, deadline, time, self.breaker, patient=patient),
            StreamCalls(target, token, deadline, self.breaker),
        ]
        self._channel = grpc.aio.insecure_channel(target, options=_options(max_message_mb), interceptors=calls)

    def stub(self, stub_class: Callable[[grpc.aio.Channel], S]) -> S:
        """A generated stub on this channel. `timeout=` of a call replaces the default deadline (seconds)."""
        hide_messages(stub_class)
        return stub_class(self._channel)

    async def close(self) -> None:
        """Close the connection; running calls are cancelled."""
        await self._channel.close(None)


def _options(max_message_mb: int) -> list[tuple[str, int]]:
    size = max_message_mb * 1024 * 1024
    return [
        ("grpc.max_receive_message_length", size),
        ("grpc.max_send_message_length", size),
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.min_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 2000),
        ("grpc.enable_http_proxy", 0),
        ("grpc.enable_retries", 0),
    ]
