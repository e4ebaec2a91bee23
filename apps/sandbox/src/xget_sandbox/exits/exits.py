"""Listeners with behaviours, each a proxy of its own."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from xget_sandbox.ca import CertificateAuthority
from xget_sandbox.errors import SandboxError
from xget_sandbox.exits.wire import Manner, Streams, http_proxy, socks5_proxy
from xget_sandbox.http import HEAD_LIMIT

LOGIN: Final = ("exit", "secret")
_ADDRESSES: Final = 250
_ROTATING: Final = 5


@dataclass(frozen=True)
class _Kind:
    scheme: str = "http"
    manner: Manner = field(default_factory=Manner)
    says: bytes | None = None
    """What it answers everybody; b"" for nothing at all, ever."""
    addresses: int = 1


KINDS: Final = {
    "http": _Kind(),
    "https": _Kind("https"),
    "socks5": _Kind("socks5", Manner(login=LOGIN)),
    "login": _Kind(manner=Manner(login=LOGIN)),
    "anonymous": _Kind(manner=Manner(via=True)),
    "transparent": _Kind(manner=Manner(transparent=True)),
    "rotating": _Kind(addresses=_ROTATING),
    "slow": _Kind(manner=Manner(delay=1.0)),
    "drop": _Kind(manner=Manner(cut=12_000)),
    "garbage": _Kind(says=os.urandom(64) + b"\r\n\r\n"),
    "redirect": _Kind(says=b"HTTP/1.1 302 Found\r\nLocation: http://ads.example/\r\nContent-Length: 0\r\n\r\n"),
    "hang": _Kind(says=b""),
    "407": _Kind(says=b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"),
}


class Exits:
    """Starts exits by kind (`http`, `drop*3` for three) in front of the sandbox. Raises SandboxError for others."""

    def __init__(self, wanted: Sequence[str], authority: CertificateAuthority) -> None:
        self._kinds = list(_wanted(wanted))
        self._authority = authority
        self._listeners: dict[str, _Listener] = {}

    async def start(self, port: int) -> None:
        """Listen on free ports of 127.0.0.1; the sandbox itself is at `port`."""
        numbers = itertools.count(2)
        for name, kind in self._kinds:
            own = [f"203.0.113.{next(numbers) % _ADDRESSES}" for _ in range(kind.addresses)]
            tls = self._authority.context("localhost") if kind.scheme == "https" else None
            listener = self._listeners[name] = _Listener(kind, own, port)
            await listener.start(tls)

    async def stop(self) -> None:
        """Stop listening and cut all connections."""
        for listener in self._listeners.values():
            await listener.stop()

    def url(self, name: str) -> str:
        """Where an exit is, with its login: `http`, `http-2`…"""
        return self._listeners[name].url

    def told(self) -> dict[str, Any]:
        """All exits: `url`, `addresses`, and whether they are `down`."""
        shown = {
            name: {"url": listener.url, "addresses": listener.addresses, "down": listener.down}
            for name, listener in self._listeners.items()
        }
        return {"exits": shown}

    def set(self, body: dict[str, Any]) -> dict[str, Any]:
        """Take exits down (`{"down": ["http"]}`): they cut all connections and refuse new ones; all others are up."""
        down = body.get("down", [])
        if not isinstance(down, list) or not set(map(str, down)) <= self._listeners.keys():
            raise SandboxError(f"down is a list of exits: {', '.join(self._listeners) or 'there are none'}.")
        for name, listener in self._listeners.items():
            listener.take(down=name in down)
        return self.told()


class _Listener:
    def __init__(self, kind: _Kind, addresses: list[str], sandbox: int) -> None:
        self.addresses = addresses
        self.down = False
        self._kind = kind
        self._sandbox = sandbox
        self._turn = itertools.cycle(addresses)
        self._server: asyncio.Server | None = None
        self._open: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    @property
    def url(self) -> str:
        login = f"{':'.join(self._kind.manner.login)}@" if self._kind.manner.login else ""
        host = "localhost" if self._kind.scheme == "https" else "127.0.0.1"
        port = self._server.sockets[0].getsockname()[1] if self._server else 0
        return f"{self._kind.scheme}://{login}{host}:{port}"

    async def start(self, tls: ssl.SSLContext | None) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=tls, limit=HEAD_LIMIT)

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        self.take(down=True)
        if self._open:
            await asyncio.wait(list(self._open), timeout=2.0)

    def take(self, *, down: bool) -> None:
        self.down = down
        if down:
            for task, writer in self._open.items():
                writer.transport.abort()
                task.cancel()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or self.down:
            writer.transport.abort()
            return
        self._open[task] = writer
        try:
            await self._serve((reader, writer))
        except (ConnectionError, ssl.SSLError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
            writer.transport.abort()
        except asyncio.CancelledError:
            writer.transport.abort()
        finally:
            self._open.pop(task, None)
            writer.close()
            with contextlib.suppress(ConnectionError, ssl.SSLError, TimeoutError):
                await asyncio.wait_for(writer.wait_closed(), 1.0)

    async def _serve(self, client: Streams) -> None:
        kind = self._kind
        if kind.says is None:
            speak = socks5_proxy if kind.scheme == "socks5" else http_proxy
            await speak(client, self._sandbox, next(self._turn), kind.manner)
        elif kind.says:
            await client[0].readuntil(b"\r\n\r\n")
            client[1].write(kind.says)
            await client[1].drain()
        else:
            await client[0].read()


def _wanted(wanted: Sequence[str]) -> Iterator[tuple[str, _Kind]]:
    for word in filter(None, (part.strip() for text in wanted for part in text.split(","))):
        name, _, many = word.partition("*")
        if name not in KINDS or (many and not (many.isdecimal() and 1 <= int(many) <= 100)):
            raise SandboxError(f"{word} is no exit: there are {', '.join(KINDS)}, and drop*3 for three of a kind.")
        for number in range(1, int(many or 1) + 1):
            yield (name if number == 1 else f"{name}-{number}"), KINDS[name]
