"""The people's mailboxes over IMAP with TLS: pymap's server over the sandbox's mail."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from argparse import Namespace
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from proxyprotocol.sock import SocketInfoLocal
from pymap.backend.dict import Config, Identity, Login
from pymap.backend.dict.filter import FilterSet
from pymap.backend.dict.mailbox import MailboxSet
from pymap.concurrent import Subsystem
from pymap.exceptions import InvalidAuth
from pymap.imap import IMAPServer
from pymap.parsing.message import AppendMessage
from pymap.user import Passwords, UserMetadata
from pysasl.creds.server import ServerCredentials
from pysasl.hashing import BuiltinHash

from xget_sandbox.mail.box import Post

HOST = "localhost"
"""The name in its certificate."""
DELIVER_EVERY_S = 0.1
STOP_S = 2.0


class MailServer:
    """Listens on a loopback port."""

    def __init__(self, post: Post, context: ssl.SSLContext) -> None:
        self.port = 0
        self._post = post
        self._context = context
        self._workers = ThreadPoolExecutor(1)
        self._config = Config(
            Namespace(passlib_cfg=None, proxy_protocol=None), host=HOST, port=0, demo_data=False, demo_user="",
            demo_password="", tls_enabled=False, secure_auth=False, ssl_context=context, invalid_user_sleep=0.0,
            reject_dnsbl=False, hash_context=BuiltinHash(rounds=1), cpu_subsystem=Subsystem.for_executor(self._workers),
        )  # fmt: skip
        self._serve = IMAPServer(_Login(self._config, post), self._config)
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, port: int) -> int:
        """Listen; returns the port. Raises OSError."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", port, ssl=self._context)
        self._tasks.add(asyncio.create_task(self._deliver()))
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self.port

    async def stop(self) -> None:
        """Stop listening and cut all connections."""
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=STOP_S)
        self._workers.shutdown()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = asyncio.current_task()
        if talk is not None:
            self._tasks.add(talk)
        try:
            with contextlib.suppress(ConnectionError, ssl.SSLError, asyncio.CancelledError):
                await self._serve(reader, writer, SocketInfoLocal(writer.transport, unique_id=b"", dnsbl=None))
        finally:
            writer.transport.abort()
            if talk is not None:
                self._tasks.discard(talk)

    async def _deliver(self) -> None:
        """Put what has arrived into the inboxes."""
        while True:
            now = datetime.now(UTC)
            for address, box in list(self._post.boxes.items()):
                boxes, _ = self._config.set_cache.setdefault(address, (MailboxSet(), FilterSet()))
                inbox = await boxes.get_mailbox("INBOX")
                while box.taken < len(box.mails) and box.mails[box.taken].arrives <= now:
                    mail = box.mails[box.taken]
                    await inbox.append(AppendMessage(mail.raw, mail.arrives, frozenset()))
                    box.taken += 1
            await asyncio.sleep(DELIVER_EVERY_S)


class _Login(Login):
    """Lets in whom the post knows."""

    def __init__(self, config: Config, post: Post) -> None:
        super().__init__(config)
        self._post = post
        self._hashes = Passwords(config)

    async def authenticate(self, credentials: ServerCredentials) -> Identity:
        """Raises InvalidAuth."""
        name = credentials.authcid
        box = self._post.boxes.get(name)
        if box is None or self._post.refuse:
            raise InvalidAuth
        hashed = await self._hashes.hash_password(box.password)
        self.users_dict[name] = UserMetadata(self.config, name, password=hashed)
        return await super().authenticate(credentials)
