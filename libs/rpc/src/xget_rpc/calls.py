"""What every call of a channel goes through."""

import random
from collections.abc import AsyncIterator
from typing import Any, Final

import grpc
import grpc.aio

from xget_kernel.clock import Clock
from xget_kernel.secrets import Secret
from xget_rpc.bases import StreamInterceptor, UnaryInterceptor
from xget_rpc.identity import TOKEN_KEY
from xget_rpc.status import CODE_KEY, RpcError, from_status
from xget_rpc.tracing import client_span, client_stream
from xget_telemetry import tracing

FIRST_PAUSE: Final = 0.05
LONGEST_PAUSE: Final = 1.0


class UnaryCalls(UnaryInterceptor):
    """One request, one answer: tried again while the service is away, up to the deadline.

    Only what the transport reports is tried again; a service that answers "unavailable" itself has decided.
    """

    def __init__(self, target: str, token: Secret, deadline: float, clock: Clock) -> None:
        self._target = target
        self._token = token
        self._deadline = deadline
        self._clock = clock

    async def intercept_unary_unary(self, continuation: Any, details: Any, request: Any) -> Any:
        """Raises RpcError."""
        with client_span(details):
            return await self._call(continuation, details, request)

    async def _call(self, continuation: Any, details: Any, request: Any) -> Any:
        allowed = self._deadline if details.timeout is None else details.timeout
        end = self._clock.monotonic() + allowed
        pause = FIRST_PAUSE
        while True:
            left = max(end - self._clock.monotonic(), 0.001)
            call = await continuation(_with(details, self._token, left), request)
            try:
                return await _answer_of(call)
            except grpc.aio.AioRpcError as error:
                wait = pause * random.uniform(0.5, 1.0)
                if not _is_away(error) or self._clock.monotonic() + wait >= end:
                    raise to_error(error, self._target) from error
            await self._clock.sleep(wait)
            pause = min(pause * 2, LONGEST_PAUSE)


class StreamCalls(StreamInterceptor):
    """One request, many answers: deadline and errors, no second try."""

    def __init__(self, target: str, token: Secret, deadline: float) -> None:
        self._target = target
        self._token = token
        self._deadline = deadline

    async def intercept_unary_stream(self, continuation: Any, details: Any, request: Any) -> Any:
        """An iterator that raises RpcError."""
        allowed = self._deadline if details.timeout is None else details.timeout
        span = client_stream(details)
        call = await continuation(_with(details, self._token, allowed, span), request)
        return self._messages(call, span)

    async def _messages(self, call: Any, span: tracing.Span) -> AsyncIterator[Any]:
        try:
            async for message in call:
                yield message
        except grpc.aio.AioRpcError as error:
            raise to_error(error, self._target) from error
        finally:
            call.cancel()
            span.end()


async def _answer_of(call: Any) -> Any:
    await call
    return call


def _with(details: Any, token: Secret, timeout: float, span: tracing.Span | None = None) -> Any:
    metadata = grpc.aio.Metadata(*(details.metadata or ()))
    metadata.add(TOKEN_KEY, token.reveal())
    context = tracing.traceparent(span)
    if context is not None:
        metadata.add(tracing.TRACEPARENT, context)
    return grpc.aio.ClientCallDetails(details.method, timeout, metadata, details.credentials, details.wait_for_ready)


def _is_away(error: Any) -> bool:
    return error.code() is grpc.StatusCode.UNAVAILABLE and CODE_KEY not in _metadata(error)


def to_error(error: Any, target: str) -> RpcError:
    """XGet's error for gRPC's."""
    metadata = _metadata(error)
    if CODE_KEY in metadata:
        return from_status(error.code(), error.details() or "", metadata)
    return from_status(error.code(), _sentence(error.code(), target), metadata)


def _sentence(code: grpc.StatusCode, target: str) -> str:
    if code is grpc.StatusCode.UNAVAILABLE:
        return f"The service at {target} does not answer: see that it runs, then try again."
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return f"The service at {target} did not answer in time: try again in a moment."
    return f"The service at {target} failed a call ({code.name}): its log says why."


def _metadata(error: Any) -> dict[str, str]:
    pairs = error.trailing_metadata() or ()
    return {key: value.decode() if isinstance(value, bytes) else value for key, value in pairs}
