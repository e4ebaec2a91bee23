"""Server-sent events that end with their client, and with the server."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import orjson
from fastapi.sse import KEEPALIVE_COMMENT, ServerSentEvent, format_sse_event
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

__all__ = ["EventStream", "ServerSentEvent", "event_stream"]

PING_SECONDS = 15.0
MEDIA_TYPE = "text/event-stream"
HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}


def event_stream(events: AsyncGenerator[Any], *, ping_seconds: float = PING_SECONDS) -> "EventStream":
    """The answer of a GET route: one event per value of the generator, a comment while it is silent.

    Values are ServerSentEvent, or anything JSON, which becomes `data:`. The generator is closed when the client
    leaves, and when the server begins to stop.
    """
    return EventStream(events, ping_seconds)


class EventStream(Response):
    """Streams until the events end, the client leaves, or the server stops."""

    def __init__(self, events: AsyncGenerator[Any], ping_seconds: float) -> None:
        self.background = None
        self.status_code = 200
        self.media_type = MEDIA_TYPE
        self.body = b""
        self.init_headers(HEADERS)
        del self.headers["content-length"]
        self._events = events
        self._ping_seconds = ping_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        stopping: asyncio.Event = scope["app"].state.xget_web.stopping
        ends = {asyncio.create_task(_disconnected(receive)), asyncio.create_task(_set(stopping))}
        try:
            async for frame in self._frames(ends):
                await send({"type": "http.response.body", "body": frame, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except OSError:
            return
        finally:
            await _cancel(ends)
            await self._events.aclose()

    async def _frames(self, ends: set["asyncio.Task[None]"]) -> AsyncIterator[bytes]:
        upcoming: asyncio.Task[Any] | None = None
        try:
            while True:
                upcoming = upcoming or asyncio.create_task(_next(self._events))
                await asyncio.wait({upcoming, *ends}, timeout=self._ping_seconds, return_when=asyncio.FIRST_COMPLETED)
                if any(end.done() for end in ends):
                    return
                if not upcoming.done():
                    yield KEEPALIVE_COMMENT
                    continue
                value, upcoming = upcoming.result(), None
                if value is _END:
                    return
                yield frame_of(value)
        finally:
            if upcoming is not None:
                await _cancel({upcoming})


def frame_of(value: Any) -> bytes:
    """The bytes of one event."""
    if not isinstance(value, ServerSentEvent):
        value = ServerSentEvent(data=value)
    data = value.raw_data
    if data is None and value.data is not None:
        data = orjson.dumps(value.data, default=_plain).decode()
    return format_sse_event(data_str=data, event=value.event, id=value.id, retry=value.retry, comment=value.comment)


_END = object()


def _plain(value: Any) -> Any:
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    raise TypeError(f"An event cannot carry {type(value).__name__}.")


async def _next(events: AsyncGenerator[Any]) -> Any:
    return await anext(events, _END)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        continue


async def _set(event: asyncio.Event) -> None:
    await event.wait()


async def _cancel(tasks: set["asyncio.Task[Any]"]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
