"""Bodies: a size limit counted while they arrive, and JSON that everything behind can store and send."""

import orjson
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from xget_kernel.errors import FieldError
from xget_web.errors import BodyRefused, BodyTooLarge, MalformedBody

# How much of a refused body is still read, so that the client gets to read the answer.
DRAIN_BYTES = 16 * 1024 * 1024


class BodyGuard:
    """Refuses bodies over `max_bytes` (413) and JSON bodies that are no strict UTF-8 JSON (400)."""

    def __init__(self, app: ASGIApp, *, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            receive = _Guarded(scope, receive, self._max_bytes)
        await self._app(scope, receive, send)


class _Guarded:
    """A `receive` that counts, and looks at a JSON body when its last part has come."""

    def __init__(self, scope: Scope, receive: Receive, max_bytes: int) -> None:
        headers = Headers(scope=scope)
        self._receive = receive
        self._max_bytes = max_bytes
        self._is_json = is_json(headers.get("content-type", ""))
        self._declared = _length(headers.get("content-length", ""))
        self._size = 0
        self._parts: list[bytes] = []
        self._complete = False

    async def __call__(self) -> Message:
        if self._declared > self._max_bytes:
            await self._refuse()
        message = await self._receive()
        if message["type"] == "http.request" and not self._complete:
            await self._take(message)
        return message

    async def _take(self, message: Message) -> None:
        part = message.get("body", b"")
        self._size += len(part)
        self._complete = not message.get("more_body", False)
        if self._size > self._max_bytes:
            await self._refuse()
        if self._is_json:
            self._parts.append(part)
            if self._complete:
                check_json(b"".join(self._parts))

    async def _refuse(self) -> None:
        while not self._complete and self._size < DRAIN_BYTES:
            message = await self._receive()
            self._size += len(message.get("body", b""))
            self._complete = message["type"] != "http.request" or not message.get("more_body", False)
        raise BodyRefused(BodyTooLarge(f"The body is over the limit of {self._max_bytes} bytes: send less at once."))


def check_json(body: bytes) -> None:
    """Raise BodyRefused (400) for JSON that is malformed, not UTF-8, or holds text that UTF-8 cannot hold."""
    if not body:
        return
    try:
        orjson.loads(body)
    except orjson.JSONDecodeError as error:
        message = f"Not valid JSON: {error.msg} at line {error.lineno}, column {error.colno}."
        raise BodyRefused(
            MalformedBody("The body is not valid JSON in UTF-8.", errors=[FieldError("", "json_invalid", message)])
        ) from error


def is_json(content_type: str) -> bool:
    """Whether a Content-Type header says JSON."""
    media = content_type.partition(";")[0].strip().lower()
    return media == "application/json" or (media.startswith("application/") and media.endswith("+json"))


def _length(header: str) -> int:
    return int(header) if header.isascii() and header.isdigit() and len(header) < 19 else 0
