"""Wraps every handler of a server: checks the internal token, turns errors into statuses."""

import functools
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, NoReturn

import grpc
import grpc.aio
from grpc_health.v1 import health

from xget_kernel.errors import Unauthenticated, XGetError
from xget_kernel.secrets import Secret
from xget_rpc.bases import ServerInterceptor
from xget_rpc.identity import is_internal
from xget_rpc.status import to_status
from xget_rpc.tracing import Call, server_span, server_stream, traceparent_of
from xget_telemetry import logs, tracing

log = logs.get_logger(__name__)

Context = Any  # grpc.aio.ServicerContext, generic over messages that are not ours
OPEN_SERVICE = f"/{health.SERVICE_NAME}/"


class Guard(ServerInterceptor):
    """Health is open to probes; everything else needs the token."""

    def __init__(self, token: Secret, tracer: tracing.Tracer | None = None) -> None:
        self._token = token
        self._tracer = tracer or tracing.current()

    async def intercept_service(self, continuation: Callable[[Any], Awaitable[Any]], details: Any) -> Any:
        """Gives the handler for a call, wrapped."""
        handler = await continuation(details)
        if handler is None or details.method.startswith(OPEN_SERVICE):
            return handler
        allowed = is_internal(details.invocation_metadata, self._token)
        return _wrapped(handler, Call(details.method, allowed, self._tracer, traceparent_of(details)))


def _wrapped(handler: Any, call: Call) -> Any:
    for kind in ("unary_unary", "unary_stream", "stream_unary", "stream_stream"):
        behaviour = getattr(handler, kind)
        if behaviour is not None:
            wrap = _streaming if kind.endswith("stream") else _single
            make = getattr(grpc, f"{kind}_rpc_method_handler")
            return make(wrap(behaviour, call), handler.request_deserializer, handler.response_serializer)
    return handler


def _single(behaviour: Any, call: Call) -> Any:
    @functools.wraps(behaviour)
    async def answer(request: Any, context: Context) -> Any:
        try:
            _admit(call.allowed)
            with call.tracer.acting(), server_span(call):
                return await behaviour(request, context)
        except Exception as error:  # noqa: BLE001 -- every failure becomes a status
            await _abort(error, call.method, context)

    return answer


def _streaming(behaviour: Any, call: Call) -> Any:
    @functools.wraps(behaviour)
    async def answer(request: Any, context: Context) -> AsyncIterator[Any]:
        span = server_stream(call)
        try:
            _admit(call.allowed)
            async for message in behaviour(request, context):
                yield message
        except Exception as error:  # noqa: BLE001 -- every failure becomes a status
            await _abort(error, call.method, context)
        finally:
            span.end()

    return answer


def _admit(allowed: bool) -> None:
    if not allowed:
        raise Unauthenticated("This is for services of XGet: send the internal token as x-internal-token.")


async def _abort(error: Exception, method: str, context: Context) -> NoReturn:
    if isinstance(error, grpc.aio.AbortError):
        raise error
    if isinstance(error, XGetError):
        code, detail, metadata = to_status(error)
        await context.abort(code, detail, metadata)
    log.error("rpc_failed", method=method, error=type(error).__name__, exc_info=error)
    await context.abort(grpc.StatusCode.INTERNAL, "The call failed inside the service; its log says why.")
    raise AssertionError("abort() raises")
