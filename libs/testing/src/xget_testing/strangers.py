"""Servers that are not what a setting names: they answer as another program would, or as an engine that refuses.

Each takes a port of its own and answers from a thread until the block ends.
"""

from __future__ import annotations

import asyncio
import json
import struct
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

import bson

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
_PRODUCT: Final = {"X-elastic-product": "Elasticsearch"}
_OP_REPLY, _OP_QUERY, _OP_MSG = 1, 2004, 2013


async def web_server(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """An HTTP server of someone else: a page to those who speak HTTP, 400 to others, and the line is closed."""
    asked = await reader.read(4096)
    status = "200 OK" if b"HTTP/1." in asked else "400 Bad Request"
    body = b"<html><body>It works!</body></html>"
    writer.write(f"HTTP/1.1 {status}\r\nContent-Type: text/html\r\nContent-Length: {len(body)}\r\n".encode())
    writer.write(b"Connection: close\r\n\r\n" + body)
    await writer.drain()


async def silent_server(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Takes whatever it is sent and never says a word, as an HTTP server does that waits for the end of a request."""
    while await reader.read(4096):
        pass


async def mail_server(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Speaks first, and answers each line with a refusal."""
    writer.write(b"220 mail.example ESMTP\r\n")
    while await reader.read(4096):
        writer.write(b"500 5.5.1 Unrecognized command\r\n")


def _elasticsearch(status: int, answer: object) -> Serve:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        body = json.dumps(answer).encode()
        while await reader.readuntil(b"\r\n\r\n"):
            heads = {"Content-Type": "application/json", "Content-Length": str(len(body)), **_PRODUCT}
            lines = [f"HTTP/1.1 {status} Said", *(f"{name}: {value}" for name, value in heads.items()), "", ""]
            writer.write("\r\n".join(lines).encode() + body)

    return serve


def _said(status: int, kind: str, reason: str) -> Serve:
    return _elasticsearch(status, {"error": {"type": kind, "reason": reason}, "status": status})


elasticsearch_without_login: Final = _said(401, "security_exception", "missing authentication credentials")
elasticsearch_without_rights: Final = _said(403, "security_exception", "action is unauthorized for this user")
elasticsearch_8: Final = _said(
    400, "media_type_header_exception", "Accept version must be either version 8 or 7, but found 9"
)


async def mongodb_without_login(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A MongoDB that greets everybody and lets nobody in."""
    while head := await reader.readexactly(16):
        length, number, _, kind = struct.unpack("<iiii", head)
        body = await reader.readexactly(length - 16)
        asked = bson.decode(body[5:] if kind == _OP_MSG else body[body.index(0, 4) + 9 :])
        said = bson.encode(_greeting(asked))
        if kind == _OP_MSG:
            payload, answer = struct.pack("<i", 0) + b"\0" + said, _OP_MSG
        else:
            payload, answer = struct.pack("<iqii", 8, 0, 0, 1) + said, _OP_REPLY
        writer.write(struct.pack("<iiii", 16 + len(payload), 1, number, answer) + payload)


def _greeting(asked: dict[str, Any]) -> dict[str, Any]:
    if next(iter(asked)).lower() in {"hello", "ismaster"}:
        return {
            "ok": 1.0,
            "helloOk": True,
            "ismaster": True,
            "isWritablePrimary": True,
            "maxWireVersion": 25,
            "minWireVersion": 0,
            "maxBsonObjectSize": 16_777_216,
            "maxMessageSizeBytes": 48_000_000,
            "maxWriteBatchSize": 100_000,
        }
    return {"ok": 0.0, "code": 18, "codeName": "AuthenticationFailed", "errmsg": "Authentication failed."}


@contextmanager
def stranger(serve: Serve) -> Iterator[int]:
    """The port of a server that answers by `serve`, each connection for itself."""
    loop, started = asyncio.new_event_loop(), threading.Event()
    stop, ports = asyncio.Event(), list[int]()

    async def answered(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, EOFError):
            await serve(reader, writer)
        writer.close()

    async def run() -> None:
        server = await asyncio.start_server(answered, "127.0.0.1", 0)
        ports.append(server.sockets[0].getsockname()[1])
        started.set()
        await stop.wait()
        server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    thread = threading.Thread(target=_run, args=(loop, run()))
    thread.start()
    started.wait(60)
    try:
        yield ports[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(60)


def _run(loop: asyncio.AbstractEventLoop, work: Any) -> None:
    try:
        loop.run_until_complete(work)
    finally:
        loop.close()


async def _guarded_redis(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while asked := await reader.read(65536):
        answers = {b"AUTH": b"-WRONGPASS invalid username-password pair or user is disabled.\r\n"}
        known = next((said for word, said in answers.items() if word in asked.upper()), None)
        writer.write((known or b"-NOAUTH Authentication required.\r\n") * max(1, asked.count(b"*")))


@contextmanager
def guarded_redis() -> Iterator[str]:
    """host:port of a server that refuses every login as Redis does, and everything else without one."""
    with stranger(_guarded_redis) as port:
        yield f"127.0.0.1:{port}"
