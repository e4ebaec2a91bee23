"""What every call of a channel goes through."""

import random
from collections.abc import AsyncIterator
from typing import Any, Final

import grpc
import grpc.aio

from xget_kernel.breaker import Breaker, CircuitOpen
from xget_kernel.clock import Clock
from xget_kernel.secrets import Secret
from xget_rpc.bases import StreamInterceptor, UnaryInterceptor
from xget_rpc.identity import TOKEN_KEY
from xget_rpc.repeating import is_silent, may_repeat
from xget_rpc.status import CODE_KEY, RpcError, RpcUnavailable, from_status
from xget_rpc.tracing import client_span, client_stream
from xget_telemetry import tracing

FIRST_PAUSE: Final = 0.05
LONGEST_PAUSE: Final = 1.0


class Silence(Exception):
    """Nobody answered a call; `error` is gRPC's. What a channel's breaker counts."""

    def __init__(self, error: Any) -> None:
        super().__init__(error.details())
        self.error = error


class UnaryCalls(UnaryInterceptor):
    """One request, one answer: tried again while the service is away, up to the deadline.

    Only what the transport reports is tried again, and only if it was never sent or may be repeated; a service that
    answers "unavailable" itself has decided. While the breaker is open a new call is refused at once, or waits when the
    channel is `patient`; one that is under way waits for its turn.
    """

    def __init__(
        self, target: str, token: Secret, deadline: float, clock: Clock, breaker: Breaker, *, patient: bool = False
    ) -> None:
        self._target = target
        self._token = token
        self._deadline = deadline
        self._clock = clock
        self._breaker = breaker
        self._patient = patient

    async def intercept_unary_unary(self, continuation: Any, details: Any, request: Any) -> Any:
        """Raises RpcError."""
        with client_span(details):
            return await self._call(continuation, details, request)

    async def _call(self, continuation: Any, details: Any, request: Any) -> Any:
        allowed = self._deadline if details.timeout is None else details.timeout
        end = self._clock.monotonic() + allowed
        pause, waits = FIRST_PAUSE, self._patient
        while True:
            failed: RpcError
            try:
                return await self._try(continuation, details, request, end)
            except CircuitOpen as error:
                failed, again = refused(error), waits
            except Silence as silence:
                failed = to_error(silence.error, self._target)
                again = _is_away(silence.error) and may_repeat(details.method, silence.error)
            waits = True
            wait = pause * random.uniform(0.5, 1.0)
            if not again or self._clock.monotonic() + wait >= end:
                raise failed
            await self._pause(wait, end)
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _try(self, continuation: Any, details: Any, request: Any, end: float) -> Any:
        with self._breaker.guard():
            left = max(end - self._clock.monotonic(), 0.001)
            call = await continuation(_with(details, self._token, left), request)
            try:
                return await _answer_of(call)
            except grpc.aio.AioRpcError as error:
                if is_silent(error) and CODE_KEY not in _metadata(error):
                    raise Silence(error) from error
                raise to_error(error, self._target) from error

    async def _pause(self, wait: float, end: float) -> None:
        """Sleep, and then for the breaker's rest, but not beyond the deadline."""
        await self._clock.sleep(wait)
        while self._breaker.state == "open" and self._clock.monotonic() < end:
            left = min(self._breaker.seconds_left, end - self._clock.monotonic())
            if left <= 0:
                return
            await self._clock.sleep(left)


class StreamCalls(StreamInterceptor):
    """One request, many answers: deadline, breaker and errors, no second try."""

    def __init__(self, target: str, token: Secret, deadline: float, breaker: Breaker) -> None:
        self._target = target
        self._token = token
        self._deadline = deadline
        self._breaker = breaker

    async def intercept_unary_stream(self, continuation: Any, details: Any, request: Any) -> Any:
        """An iterator that raises RpcError."""
        allowed = self._deadline if details.timeout is None else details.timeout
        span = client_stream(details)
        call = await continuation(_with(details, self._token, allowed, span), request)
        return self._messages(call, span)

    async def _messages(self, call: Any, span: tracing.Span) -> AsyncIterator[Any]:
        messages = aiter(call)
        try:
            first = await self._first(messages)
            if first is None:
                return
            yield first
            async for message in messages:
                yield message
        except CircuitOpen as error:
            raise refused(error) from error
        except Silence as silence:
            raise to_error(silence.error, self._target) from silence
        except grpc.aio.AioRpcError as error:
            raise to_error(error, self._target) from error
        finally:
            call.cancel()
            span.end()

    async def _first(self, messages: AsyncIterator[Any]) -> Any:
        with self._breaker.guard():
            try:
                return await anext(messages, None)
            except grpc.aio.AioRpcError as error:
                if is_silent(error) and CODE_KEY not in _metadata(error):
                    raise Silence(error) from error
                raise


def refused(error: CircuitOpen) -> RpcUnavailable:
    """The channel's error for a call that was not made."""
    found = RpcUnavailable(error.detail, headers=error.headers)
    found.metadata = {}
    return found


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
